"""The README's picture of the report: what a browser shows when the page opens.

    PYTHONPATH=scripts:tests .venv/bin/python tests/browser/screenshot.py \\
        results/report.html docs/images/report.png

Of a demo's report, whose text is made up. A report on SQuAD shows text under CC BY-SA 4.0: credit
it beside the picture.
"""

import io
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser

SIZE = {"width": 1100, "height": 1150}
COLOURS = 64  # a page has few: a tenth of the bytes


def take(browser: Browser, report: Path, picture: Path) -> None:
    """Write the first screen of a report as a small PNG."""
    page = browser.new_page(viewport=SIZE, color_scheme="light")
    try:
        page.goto(report.resolve().as_uri())
        taken = page.screenshot()
    finally:
        page.close()
    image = Image.open(io.BytesIO(taken)).convert("RGB").quantize(COLOURS)
    image.save(picture, optimize=True)


if __name__ == "__main__":
    from browser.conftest import launched

    with launched() as started:
        take(started, Path(sys.argv[1]), Path(sys.argv[2]))
