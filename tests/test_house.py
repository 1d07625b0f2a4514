"""The house holds itself to its rules: packaging, who may import whom, what the tree may not contain."""

import re
import shutil
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Final

import pytest

from eckit import _guard
from tests.toy_house import CAPABILITIES, CONTRACTS, ROOT, build_toy, lint_imports, names, plant, project

PLUGIN_PROJECTS: Final = sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))


# Packaging


def test_distribution_has_the_name_that_nobody_else_uses() -> None:
    """The distribution is eckit-commerce; `eckit` alone belongs to another project."""
    assert "eckit-commerce" == metadata.metadata("eckit-commerce")["Name"]
    assert ">=3.11" == metadata.metadata("eckit-commerce")["Requires-Python"]
    [command] = [script for script in metadata.entry_points(group="console_scripts") if script.name == "eckit"]
    assert "eckit.cli:main" == command.value


def test_core_needs_only_the_libraries_agreed_on() -> None:
    """A new library in the core is a decision, not an accident."""
    needed = {re.split(r"[^A-Za-z0-9-]", line)[0] for line in project()["project"]["dependencies"]}
    assert {"pluggy", "attrs", "cattrs", "SQLAlchemy", "alembic", "Jinja2", "Babel", "py-moneyed"} == needed


def test_extra_all_names_every_other_extra() -> None:
    """`eckit-commerce[all]` leaves nothing out."""
    extras = project()["project"]["optional-dependencies"]
    [everything] = extras.pop("all")
    assert f"eckit-commerce[{','.join(extras)}]" == everything


@pytest.mark.parametrize("directory", PLUGIN_PROJECTS, ids=lambda directory: directory.name)
def test_plugin_is_a_distribution_of_its_own(directory: Path) -> None:
    """A plugin is found by its entry point, depends on the core and is known to the workspace and to tox."""
    own, module = project(directory), f"eckit_{directory.name.replace('-', '_')}"
    name = f"eckit-{directory.name}"
    assert name == own["project"]["name"]
    assert "MIT" == own["project"]["license"]
    assert "eckit-commerce" in own["project"]["dependencies"]
    assert {directory.name: f"{module}:plugin"} == own["project"]["entry-points"]["eckit"]
    root = project()
    assert name in root["dependency-groups"]["dev"]
    assert {"workspace": True} == root["tool"]["uv"]["sources"][name]
    assert module in root["tool"]["importlinter"]["root_packages"]
    assert f"-e plugins/{directory.name}" in (ROOT / "tox.ini").read_text(encoding="utf-8")


@pytest.mark.parametrize("directory", PLUGIN_PROJECTS, ids=lambda directory: directory.name)
def test_plugin_can_be_loaded_by_its_entry_point(directory: Path) -> None:
    """What is installed is what the entry point names."""
    [entry] = [entry for entry in metadata.entry_points(group="eckit") if entry.name == directory.name]
    assert entry.load() is not None


def test_packages_say_that_they_are_typed() -> None:
    """Users' type checkers read our types."""
    packages = [ROOT / "src" / "eckit"]
    packages += [path / "src" / f"eckit_{path.name.replace('-', '_')}" for path in PLUGIN_PROJECTS]
    assert [] == [str(package.relative_to(ROOT)) for package in packages if not (package / "py.typed").exists()]


def test_lock_pins_and_hashes_everything_without_an_address() -> None:
    """An install from the lock gets the very files it was made with, from whichever registry the machine uses."""
    text = (ROOT / "requirements.lock.txt").read_text(encoding="utf-8")
    entries = re.split(r"\n(?=\S)", text.strip())
    unpinned = [entry.splitlines()[0] for entry in entries if not re.match(r"[a-z0-9-]+==\S+ ", entry)]
    unhashed = [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry]
    assert ([], []) == (unpinned, unhashed)
    assert None is re.search(r"://|--(index|extra-index|find-links|trusted)", text)


def test_lock_covers_every_declared_library() -> None:
    """What a project or a group asks for is in the lock, so that no install has to resolve anything."""
    pinned = set(
        re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements.lock.txt").read_text(encoding="utf-8"), re.MULTILINE)
    )
    declared: set[str] = set()
    for directory in (ROOT, *PLUGIN_PROJECTS):
        own = project(directory)
        for section in (own["project"].get("optional-dependencies", {}), own.get("dependency-groups", {})):
            declared.update(line for lines in section.values() for line in lines if isinstance(line, str))
        declared.update(own["project"]["dependencies"])
    names = {re.split(r"[^A-Za-z0-9_.-]", line)[0].lower().replace("_", "-") for line in declared}
    assert set() == {name for name in names if not name.startswith("eckit-")} - pinned


# The package's name


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on the import path, for distributions that a test makes up."""
    monkeypatch.syspath_prepend(tmp_path)
    _guard._providers.cache_clear()
    yield tmp_path
    _guard._providers.cache_clear()


def install(site: Path, distribution: str, *packages: str) -> None:
    """Leave what an installer leaves: files, metadata and a record of the files."""
    for package in packages:
        (site / package).mkdir()
        (site / package / "__init__.py").touch()
    info = site / f"{distribution.replace('-', '_')}-2.5.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 2.5.0\n")
    (info / "RECORD").write_text("".join(f"{package}/__init__.py,,\n" for package in packages))


def test_guard_accepts_eckit_alone() -> None:
    """The environment of these tests has one distribution with our package."""
    _guard.refuse_shadowed_distribution()
    _guard.refuse_shadowed_distribution(thorough=True)


def test_guard_refuses_a_second_distribution_with_our_package(site: Path) -> None:
    """An unrelated `eckit` beside eckit-commerce is named, and so is the way out."""
    install(site, "eckit", "eckit")
    with pytest.raises(ImportError, match=r"eckit, eckit-commerce\. .* Uninstall eckit, then reinstall eckit-commerce"):
        _guard.refuse_shadowed_distribution()


def test_guard_refuses_strangers_it_has_never_heard_of(site: Path) -> None:
    """Thoroughly asked, any distribution with our package is found."""
    install(site, "some-fork", "eckit")
    _guard.refuse_shadowed_distribution()
    with pytest.raises(ImportError, match="eckit-commerce, some-fork"):
        _guard.refuse_shadowed_distribution(thorough=True)


def test_guard_accepts_a_known_stranger_that_keeps_to_its_own_package(site: Path) -> None:
    """The name of a distribution is no offense, sharing a package is."""
    install(site, "eckitlib", "eckitlib")
    _guard.refuse_shadowed_distribution()


# Who may import whom

# Each contract's name, and imports that it alone has to catch: (importing module, what it imports).
PLANTED: Final[dict[str, list[tuple[str, str]]]] = {
    "River: a capability may know those before it": [
        ("eckit.catalog.model", "eckit.order"),
        ("eckit.payment.rules", "eckit.stock"),
        ("eckit.kernel.refs", "eckit.channel"),
        ("eckit._guard", "eckit.kernel.refs"),
        ("eckit.helpers", "eckit.kernel.refs"),  # a folder without a place in the river
    ],
    "Rooms: every capability has these and no others": [
        ("eckit.cart.model", "eckit.cart.errors"),
        ("eckit.cart.store", "eckit.cart.hooks"),
        ("eckit.order.utils", "eckit.order.model"),
        ("eckit.stock.store.tables", "eckit.stock.service"),
    ],
    "Faces show models and errors only": [("eckit.tax", "eckit.tax.rules")],
    "Verbs meet in flows": [
        ("eckit.order.service", "eckit.cart.service"),
        ("eckit.payment.service.capture", "eckit.catalog.audit"),
        ("eckit.defaults", "eckit.credit.service"),
    ],
    "Models, errors and rules are pure": [
        ("eckit.pricing.model", "sqlalchemy"),
        ("eckit.pricing.errors", "random"),
        ("eckit.pricing.rules.totals", "eckit.kernel.work"),
        ("eckit.promotion.rules", "eckit.kernel.impure"),  # a chain: it imports eckit.kernel.minting
    ],
    "No web framework in the core": [("eckit.shipping.service", "flask")],
    "Plugins and defaults use the public face": [
        ("eckit_sandbox", "eckit.payment.model"),
        ("eckit_promotions", "eckit.flows"),
        ("eckit.defaults.orders", "eckit.order.rules"),
    ],
    "The shop reaches no store": [("eckit.shop", "eckit.customer.store")],
    "Each capability asks and stores for itself": [
        ("eckit.order.service", "eckit.catalog.store"),
        ("eckit.cart.rules.limits", "eckit.catalog.hooks"),
        ("eckit.cli", "eckit.order.store"),
        ("eckit.defaults.numbers", "eckit.order.hooks"),
        *(("eckit.flows.place_order", f"eckit.{capability}.store") for capability in CAPABILITIES),
        *(("eckit.flows.ship", f"eckit.{capability}.hooks.wishes") for capability in CAPABILITIES),
    ],
}


def test_every_capability_is_held_to_every_contract() -> None:
    """A folder of the river has its rooms, its face and its part in the other contracts."""
    river = CONTRACTS["River: a capability may know those before it"]["layers"]
    built = [name.strip() for layer in river for name in layer.split("|") if "(" not in name]
    capabilities = set(built) - {"cli", "testing", "migrations", "defaults", "shop", "flows", "kernel", "_guard"}
    assert capabilities == set(CAPABILITIES)
    modules = [f"eckit.{capability}" for capability in CAPABILITIES]
    assert modules == CONTRACTS["Rooms: every capability has these and no others"]["containers"]
    sources = CONTRACTS["Each capability asks and stores for itself"]["source_modules"]
    assert [*modules, "eckit.flows", "eckit.defaults", "eckit.cli"] == sources


def test_every_plugin_is_held_to_the_public_face() -> None:
    """A plugin cannot escape the contract by not being listed."""
    modules = [f"eckit_{path.name.replace('-', '_')}" for path in PLUGIN_PROJECTS]
    assert {"eckit.defaults", *modules} == set(CONTRACTS["Plugins and defaults use the public face"]["source_modules"])


def test_every_folder_with_a_room_is_a_capability() -> None:
    """A folder that has a service or a store cannot escape the contracts by not being listed."""
    found = {path.parent for room in ("service", "store") for path in (ROOT / "src" / "eckit").glob(f"*/{room}*")}
    assert set() == {path.name for path in found} - set(CAPABILITIES)


def test_each_import_contract_catches_a_planted_violation(tmp_path: Path) -> None:
    """A contract that cannot break keeps nothing: each is shown an import that it must name."""
    clean = tmp_path / "clean"
    build_toy(clean)
    said = lint_imports(clean, list(CONTRACTS))
    assert f"Contracts: {len(CONTRACTS)} kept, 0 broken." in said

    assert set(CONTRACTS) == set(PLANTED)
    for number, (contract, planted) in enumerate(PLANTED.items()):
        house = tmp_path / f"house{number}"
        shutil.copytree(clean, house)
        for importer, imported in planted:
            plant(house, importer, imported)
        said = lint_imports(house, [contract])
        assert "Contracts: 0 kept, 1 broken." in said
        assert [] == [violation for violation in planted if not names(said, *violation)], said


# What the tree may not contain

# Written so that this file does not contain what it looks for.
FORBIDDEN: Final = {
    "a directory of one machine": re.compile(r"(?<![\w.:>-])/(?:work|root|tmp|home/\w+|farm)/"),
    "the address of a package registry": re.compile(
        r"p[y]pi\.org|p[y]thonhosted\.org|n[p]mjs\.(?:org|com)|d[e]b\.debian"
    ),
    "the other project's distribution": re.compile(r"(?:pip|uv) (?:install|add) (?:\S+ )*[\"']?e[c]kit(?![\w-])"),
}
NOT_OURS: Final = frozenset({"uv.lock", "build", "dist", "_build", "node_modules", "__pycache__", "htmlcov"})


def tree(directory: Path = ROOT) -> Iterator[Path]:
    """The project's files, without environments, caches and what is built."""
    for path in sorted(directory.iterdir()):
        hidden = path.name.startswith(".") and path.name not in {".ci", ".gitignore"}
        if hidden or path.name in NOT_OURS or path.is_symlink():
            continue
        if path.is_dir():
            yield from tree(path)
        else:
            yield path


@pytest.mark.parametrize("what", FORBIDDEN)
def test_tree_does_not_contain(what: str) -> None:
    """The project reads the same on every machine."""
    found = []
    for path in tree():
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue  # a picture or the like
        hits = (number for number, line in enumerate(lines, 1) if FORBIDDEN[what].search(line))
        found += [f"{path.relative_to(ROOT)}:{number}" for number in hits]
    assert [] == found


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("a directory of one machine", "see '/" + "root/notes'"),
        ("the address of a package registry", "https://files.python" + "hosted.org/x"),
        ("the other project's distribution", "pip in" + "stall eckit"),
        ("the other project's distribution", "uv a" + "dd --dev 'eckit'"),
    ],
)
def test_search_for_forbidden_text_finds_it(what: str, text: str) -> None:
    """A search that finds nothing anywhere would prove nothing."""
    assert FORBIDDEN[what].search(text)
    assert not FORBIDDEN[what].search(
        "pip install eckit-commerce, then read docs/" + "root/ or https://example.com/" + "work/tea"
    )
