"""``python -m pushkit``."""

from __future__ import annotations

import sys

from pushkit.cli.__main__ import main

if __name__ == "__main__":
    sys.exit(main())
