"""The README's picture is small, and can be taken again."""

from PIL import Image

from browser.screenshot import SIZE, take
from fake_report import draw, render
from fake_results import demo
from project import ROOT

PICTURE = ROOT / "docs/images/report.png"


def test_the_picture_is_taken_again(browser, tmp_path):
    report = tmp_path / "report.html"
    report.write_text(render(demo(tmp_path), figures=draw(demo(tmp_path), tmp_path)), "utf-8")
    take(browser, report, tmp_path / "report.png")
    for picture in (tmp_path / "report.png", PICTURE):
        assert picture.stat().st_size < 200_000
        with Image.open(picture) as image:
            assert image.size == (SIZE["width"], SIZE["height"])
            assert len(image.convert("RGB").getcolors(256)) > 10  # not an empty page
