"""Where the command line starts: says what is missing instead of failing on an import."""

from __future__ import annotations

import importlib.util
import sys


def main() -> int:
    """Run the command line; gives the exit status."""
    missing = [name for name in ("typer", "rich") if importlib.util.find_spec(name) is None]
    if missing:
        sys.stderr.write(f'The command line needs {" and ".join(missing)}: pip install "pushkit-sdk[cli]"\n')
        return 2
    from pushkit.cli.app import run

    return run()


if __name__ == "__main__":
    sys.exit(main())
