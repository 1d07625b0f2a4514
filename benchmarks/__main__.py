"""``python -m benchmarks``: every scenario beside its floors, a table, and the numbers as JSON.

The run fails (exit 1) only where a first bar is missed with ``--strict``: speed differs from machine to machine.
"""

import sys

if __name__ == "__main__":  # the workers' processes import this module, too, and need nothing of it
    from benchmarks.running import main

    sys.exit(main(sys.argv[1:]))
