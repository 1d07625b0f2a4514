"""Verbs on the category tree. They take turns: a move is decided on the tree as it is, not as it was."""

from collections.abc import Sequence
from typing import Final

import attrs

from eckit.catalog.errors import CategoryCodeTakenError, CategoryCycleError, ImportRefusedError
from eckit.catalog.model import Category, ImportReport
from eckit.catalog.rules import checking, reading, slugs, tree as rules
from eckit.catalog.service.access import require_write
from eckit.catalog.store import tree as store
from eckit.kernel.errors import NotFoundError
from eckit.kernel.ids import CategoryId, expect_id
from eckit.kernel.minting import mint
from eckit.kernel.refs import Ref
from eckit.kernel.text import Text
from eckit.kernel.work import Work

_PORTION: Final = 500


def save_category(work: Work, category: Category) -> Category:
    """Add a category, or write it over the one with its id; under another parent, all below it goes along.

    :raises InvalidInputError: all problems of all fields.
    :raises CategoryCodeTakenError: another category has this code.
    :raises CategoryCycleError: it would stand below itself.
    :raises NotFoundError: there is no such parent.
    """
    require_write(work)
    wanted = checking.category(category)
    store.lock(work)
    there = {one.id: one for one in store.categories(work)}
    before = there.get(wanted.id)
    if before == wanted:
        return wanted
    if any(one.code == wanted.code and one.id != wanted.id for one in there.values()):
        raise CategoryCodeTakenError(category=wanted.code)
    _require_place(there, wanted.id, wanted.parent_id)
    if before is None:
        store.add_categories(work, [wanted])
    else:
        store.change_category(work, wanted)
        if before.parent_id != wanted.parent_id:
            store.moved(work, wanted.id)
    _tell(work, "catalog.save_category", wanted.id)
    return wanted


def move_category(work: Work, category_id: CategoryId, parent_id: CategoryId | None) -> Category:
    """Put a category, with all below it, under another parent; None makes it a root.

    :raises CategoryCycleError: the parent is the category itself or below it.
    :raises NotFoundError: there is no such category or parent.
    """
    require_write(work)
    expect_id("category", category_id)
    if parent_id is not None:
        expect_id("category", parent_id, path="parent_id")
    store.lock(work)
    there = {one.id: one for one in store.categories(work)}
    if category_id not in there:
        raise NotFoundError(kind="category", id=category_id)
    _require_place(there, category_id, parent_id)
    after = attrs.evolve(there[category_id], parent_id=parent_id)
    if after != there[category_id]:
        store.change_category(work, after)
        store.moved(work, category_id)
        _tell(work, "catalog.move_category", category_id)
    return after


def categories(work: Work) -> tuple[Category, ...]:
    """The whole tree, siblings by position; open to everybody."""
    return tuple(store.categories(work))


def import_categories(work: Work, data: bytes, *, locale: str = "en") -> ImportReport:
    """Read a file of categories, ``path,title_en,title_ja,position``, and add or change them; all or nothing.

    :param locale: of titles whose column does not say.
    :return: ``rows`` read; nothing else of the report is used.
    :raises UnreadableFileError, UnknownLayoutError, FileTooLargeError: as :func:`eckit.catalog.rules.read_csv`.
    :raises ImportRefusedError: with every problem.
    """
    require_write(work)
    rows, problems = reading.read_categories(data, locale=locale)
    refused = tuple(problem for problem in problems if not problem.note)
    report = ImportReport(
        rows=len(rows) + len({problem.line for problem in refused}),
        products=0,
        variants=0,
        problems=refused,
        notes=tuple(problem for problem in problems if problem.note),
    )
    if refused:
        raise ImportRefusedError(report=report)
    store.lock(work)
    by_code = {one.code: one for one in store.categories(work)}
    changed = 0
    for row in rows:
        old = by_code.get(slugs.category_code(row.path))
        there = old or ensure(work, by_code, [row.path], locale)[0]
        title = {**(old.title.as_dict() if old else {}), **row.title.as_dict()}
        position = there.position if row.position is None else row.position
        after = attrs.evolve(there, title=Text(title), position=position)
        if after != there:
            store.change_category(work, after)
            by_code[after.code] = after
            changed += 1
    if changed:
        work.bump("catalog")
    work.did("catalog.import_categories", reason=f"{changed} changed")
    return report


def ensure(work: Work, by_code: dict[str, Category], paths: Sequence[tuple[str, ...]], locale: str) -> list[Category]:
    """The categories at the ends of these paths of names; missing ones are added, also to ``by_code``,
    with their names in ``locale``.

    The caller holds the tree's lock. The code of a category is its path as it was first named.
    """
    added: list[Category] = []
    ends = []
    for path in paths:
        parent: Category | None = None
        for depth, name in enumerate(path, 1):
            code = slugs.category_code(path[:depth])
            if code not in by_code:
                by_code[code] = Category(
                    id=CategoryId(mint("category")),
                    code=code,
                    title=Text({locale: name}),
                    parent_id=parent.id if parent else None,
                )
                added.append(by_code[code])
            parent = by_code[code]
        if parent is not None:
            ends.append(parent)
    for start in range(0, len(added), _PORTION):
        store.add_categories(work, added[start : start + _PORTION])
    if added:
        work.bump("catalog")
    return ends


def _require_place(there: dict[CategoryId, Category], category_id: CategoryId, parent_id: CategoryId | None) -> None:
    if parent_id is None:
        return
    if parent_id not in there:
        raise NotFoundError(kind="category", id=parent_id)
    parents = {one.id: one.parent_id for one in there.values()}
    if rules.makes_cycle(parents, category_id, parent_id):
        raise CategoryCycleError(category=there[category_id].code, parent=there[parent_id].code)


def _tell(work: Work, verb: str, category_id: CategoryId) -> None:
    work.bump("catalog")
    work.did(verb, Ref("category", category_id))
