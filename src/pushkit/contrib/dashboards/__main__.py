"""``python -m pushkit.contrib.dashboards grafana|alerts``: writes the file to standard output."""

from __future__ import annotations

import sys

from pushkit.contrib import dashboards

_FILES = {"grafana": dashboards.grafana, "alerts": dashboards.alerts}


def main(arguments: list[str]) -> int:
    """Write what was asked for; 2 when that is neither."""
    if len(arguments) != 1 or arguments[0] not in _FILES:
        sys.stderr.write(f"expected one of: {', '.join(_FILES)}\n")
        return 2
    sys.stdout.write(_FILES[arguments[0]]())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
