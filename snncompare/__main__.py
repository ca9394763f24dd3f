"""Let ``python -m snncompare`` be the command line."""

import sys

from snncompare.cli import main

__all__: list[str] = []

if __name__ == "__main__":
    sys.exit(main())
