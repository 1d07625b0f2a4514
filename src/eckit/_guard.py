"""Refuses to run when two installed distributions share the name of this package.

An unrelated project publishes a distribution called `eckit` whose top-level package has our name. Installed beside
eckit-commerce, each overwrites files of the other without a word.
"""

import functools
from typing import Final

OURS: Final = "eckit-commerce"
_KNOWN_STRANGERS: Final = ("eckit", "eckitlib")


def refuse_shadowed_distribution(*, thorough: bool = False) -> None:
    """Check that nothing but eckit-commerce provides the package `eckit`.

    Without `thorough`, the contents of the installed distributions are read only if a known stranger is among them.

    :raises ImportError: two distributions provide it; the message names them and the way out.
    """
    if not (thorough or any(_is_installed(name) for name in _KNOWN_STRANGERS)):
        return
    providers = _providers() | ({OURS} if _is_installed(OURS) else frozenset())
    if len(providers) > 1:
        strangers = " ".join(sorted(providers - {OURS}))
        raise ImportError(
            f"The package 'eckit' is provided by more than one installed distribution: {', '.join(sorted(providers))}. "
            f"They overwrite each other's files. Uninstall {strangers}, then reinstall {OURS}."
        )


def _is_installed(distribution: str) -> bool:
    from importlib import metadata

    try:
        metadata.distribution(distribution)
    except metadata.PackageNotFoundError:
        return False
    return True


@functools.cache
def _providers() -> frozenset[str]:
    """Distributions that carry the package's files; an editable install, as of a checkout, carries none."""
    from importlib import metadata

    names = metadata.packages_distributions().get("eckit", [])
    return frozenset(name.lower().replace("_", "-") for name in names)
