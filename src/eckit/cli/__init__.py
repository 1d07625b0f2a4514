"""The ``eckit`` command."""

import sys

from eckit.kernel.errors import EckitError


def main() -> None:
    """Run the command line; an error of eckit's is one readable paragraph and exit code 1, never a traceback."""
    from eckit.cli.app import app, with_plugin_commands
    from eckit.cli.opening import locale_of
    from eckit.cli.printing import complain

    try:
        with_plugin_commands(sys.argv[1:])
        app()
    except EckitError as error:
        complain(error, locale_of(sys.argv))
        sys.exit(1)
