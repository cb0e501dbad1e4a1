"""A figure's SVG as part of an HTML page, in the page's font and its light or dark colours."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bertsquad.console.errors import UserError
from bertsquad.reporting.gallery import SECTIONS
from bertsquad.reporting.palette import DARK

_SVG = "http://www.w3.org/2000/svg"
_XLINK = "http://www.w3.org/1999/xlink"
_FACTS = ("section", "rank", "alt", "headline", "text")  # see gallery.facts_of
_DROPPED = ("title", "metadata", "style")  # the page has its own
_REFERENCE = re.compile(r"url\(#([^)]+)\)")


@dataclass(frozen=True, slots=True)
class Inline:
    """A figure of the page."""

    svg: str  # the `<svg>` element, as HTML
    section: str  # of the report; "" for a figure without a place in it: there is nothing to show
    rank: int  # among the figures of its section
    headline: str  # of its caption
    text: str  # of its caption, after the headline


def inline(path: str | Path) -> Inline:
    """A figure that plot.py wrote, as part of an HTML page.

    Ids get the file's name as a prefix, so that several figures fit in one page; colours of the
    palette become CSS variables `--c-RRGGBB`. Raises `UserError` for a file that is not SVG.
    """
    path = Path(path)
    try:
        root = ET.fromstring(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except ET.ParseError as error:
        raise UserError(f"{path}: not an SVG figure ({error}); make it again") from None
    _drop(root)
    referred = _references(root)
    prefix = path.stem
    for element in root.iter():
        element.tag = element.tag.removeprefix(f"{{{_SVG}}}")
        name = element.attrib.pop("id", None)
        if name in referred:
            element.set("id", f"{prefix}-{name}")
        target = element.attrib.pop(f"{{{_XLINK}}}href", None)
        if target:
            element.set("href", f"#{prefix}-{target.removeprefix('#')}")
        for key in ("clip-path", "style"):
            if key in element.attrib:
                value = _REFERENCE.sub(rf"url(#{prefix}-\1)", element.attrib[key])
                element.set(key, _themed(value))
        # The ground of a hatch has its colour as an attribute, where no variable can stand.
        if element.get("fill") in DARK:
            fill = _themed(f"fill: {element.attrib.pop('fill')}")
            element.set("style", "; ".join(filter(None, (fill, element.get("style")))))
    for key in ("width", "height", "version"):
        root.attrib.pop(key, None)
    root.set("role", "img")
    facts = {name: root.attrib.pop(f"data-{name}", "") for name in _FACTS}
    root.set("aria-label", facts["alt"])
    _squeeze(root)
    svg = ET.tostring(root, encoding="unicode", short_empty_elements=False)
    rank = int(facts["rank"] or 0)
    return Inline(svg, facts["section"], rank, facts["headline"], facts["text"])


def by_section(paths: Iterable[Path]) -> dict[str, list[Inline]]:
    """The figures of each section of the report, in their order."""
    shown = sorted(map(inline, paths), key=lambda figure: figure.rank)
    return {name: [each for each in shown if each.section == name] for name in SECTIONS}


def _drop(root: ET.Element) -> None:
    """Remove what only a file of its own needs."""
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in {f"{{{_SVG}}}{name}" for name in _DROPPED}:
                parent.remove(child)


def _references(root: ET.Element) -> set[str]:
    """Ids that something refers to; the others only name groups."""
    found = set()
    for element in root.iter():
        found.add(element.get(f"{{{_XLINK}}}href", "").removeprefix("#"))
        for value in element.attrib.values():
            found.update(_REFERENCE.findall(value))
    return found


def _themed(style: str) -> str:
    """Colours of the palette as variables of the page, and the page's font."""
    style = re.sub(r"font-family: [^;]+;?\s*", "", style)
    return re.sub(
        r"#[0-9a-f]{6}\b",
        lambda match: f"var(--c-{match[0][1:]})" if match[0] in DARK else match[0],
        style,
    )


def _squeeze(root: ET.Element) -> None:
    """Drop the white space between elements and the line breaks in paths."""
    for element in root.iter():
        if element.tag != "text" and not (element.text or "").strip():
            element.text = None
        if not (element.tail or "").strip():
            element.tail = None
        if "d" in element.attrib:
            element.set("d", " ".join(element.attrib["d"].split()))
