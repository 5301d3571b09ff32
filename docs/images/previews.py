"""
Make the pictures of docs/preview.md again: ``python docs/images/previews.py``.

Needs Chromium and the fonts that people's devices have: ``apt-get install chromium fonts-noto-core fonts-noto-cjk
fonts-noto-color-emoji``. The picture of all platforms needs neither, and a test holds it against the example.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
EXAMPLE = HERE.parents[1] / "examples" / "preview_notification.py"
SIZE = "1100,1560"
SCHEMES = {"preview-page.png": (), "preview-page-dark.png": ("--blink-settings=preferredColorScheme=0",)}


def main() -> None:
    browser = next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None)
    if browser is None:
        sys.exit("no Chromium found; install it with: apt-get install chromium")
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, str(EXAMPLE), folder], check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own example
        shutil.copyfile(Path(folder, "preview.svg"), HERE / "preview.svg")
        for name, switches in SCHEMES.items():
            fixed = ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={folder}/profile")
            wanted = (f"--window-size={SIZE}", f"--screenshot={HERE / name}", f"file://{folder}/preview.html")
            subprocess.run([browser, *fixed, *switches, *wanted], check=True, capture_output=True)  # noqa: S603 - the browser that was found


if __name__ == "__main__":
    main()
