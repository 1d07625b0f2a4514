"""The ``eckit`` command."""

import sys

from eckit.kernel.errors import EckitError


def main() -> None:
    """Run the command line; an error of eckit's is one readable paragraph and exit code 1, never a traceback."""
    from eckit.cli.opening import locale_of
    from eckit.cli.plugin_commands import app_for
    from eckit.cli.printing import complain

    try:
        app_for(sys.argv[1:])()
    except EckitError as error:
        complain(error, locale_of(sys.argv))
        sys.exit(1)
