"""``python -m eckit`` is the ``eckit`` command."""

from eckit.cli import main

if __name__ == "__main__":
    main()
