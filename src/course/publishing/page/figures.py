"""Figures as vector graphics that follow the page from light to dark.

A notebook stores each figure as a PNG; the same figure as SVG lies in ``book/figures``
(``course.publishing.drawings``), and mostly a variant for narrow screens beside it. The page has
both written into it, of which its style shows one, with colours that are variables of the style;
where there is no SVG it shows the PNG.
"""

import re
from base64 import b64encode
from html import escape
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

from course.plots.colours import DARK
from course.publishing.drawings import phone_path, svg_path

_ID = re.compile(r' id="[^"]*"')
_REFERENCE = re.compile(r'(url\(#|xlink:href="#)([\w-]+)')
_SIZE = re.compile(r'<svg [^>]*?width="([\d.]+)pt"[^>]*?viewBox="([^"]+)"[^>]*>')


def themed(svg: str, alt: str, prefix: str = "", screen: str = "") -> str:
    """An SVG of matplotlib as an element of a page: it scales, is read as ``alt``, and takes the
    colours of the book from the page.

    Args:
        prefix: of its ids, which must be its own in the whole page.
        screen: the class of the screens that it is for, ``for-wide`` or ``for-phone``; by default
            it is for all.

    Raises:
        ValueError: if the text is no SVG as matplotlib writes it.
    """
    if not (head := _SIZE.search(svg)):
        raise ValueError(
            f"expected an SVG that matplotlib wrote, with its width in pt, got {svg[:60]!r}"
        )
    referenced = {name for _, name in _REFERENCE.findall(svg)}
    body = svg[head.end() : svg.rindex("</svg>")]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = _ID.sub(
        lambda found: f' id="{prefix}{found[0][5:]}' if found[0][5:-1] in referenced else "", body
    )
    body = _REFERENCE.sub(rf"\g<1>{prefix}\g<2>", body)
    body = re.sub(r"#[0-9a-f]{6}\b", lambda c: _variable(c[0]), body, flags=re.IGNORECASE)
    body = re.sub(r"font: (?:(\w+) )?([\d.]+)px [^;\"]*", _font, body)
    body = re.sub(r"\n\s*", "\n", body)
    width = float(head[1]) * 4 / 3
    label = alt.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    classes = f"figure-svg {screen}".strip()
    return (
        f'<svg class="{classes}" role="img" aria-label="{label}" viewBox="{head[2]}" '
        f'style="max-width: {width:.0f}px" xmlns:xlink="http://www.w3.org/1999/xlink">{body}</svg>'
    )


def inlined(png: bytes, alt: str, root: Path, prefix: str = "", phone: bool = True) -> str:
    """A stored PNG as an element of a page: its vector graphic, or where there is none itself.

    Args:
        phone: whether its variant for narrow screens, if it has one, stands beside it.
    """
    drawing = svg_path(root, png)
    if not drawing.is_file():
        return f'<img src="data:image/png;base64,{b64encode(png).decode()}" alt="{escape(alt)}">'
    wide, narrow = drawing.read_text(encoding="utf-8"), phone_path(drawing)
    if not phone or not narrow.is_file():
        return themed(wide, alt, prefix)
    return themed(wide, alt, prefix, "for-wide") + themed(
        narrow.read_text(encoding="utf-8"), alt, f"{prefix}phone-", "for-phone"
    )


def _variable(colour: str) -> str:
    """A colour of the book as a variable with itself as what holds without one."""
    return f"var(--figure-{colour[1:].lower()}, {colour})" if colour.lower() in DARK else colour


def _font(found: re.Match) -> str:
    weight = f"font-weight: {found[1]}; " if found[1] else ""
    return f"{weight}font-size: {found[2]}px"


def style_sheet() -> str:
    """The variables of the figures' colours for a dark page, as CSS."""
    lines = "".join(f"  --figure-{light[1:]}: {dark};\n" for light, dark in DARK.items())
    return f'html[data-theme="dark"] {{\n{lines}}}\n'


class InlineFigures(SphinxPostTransform):
    """Put the vector graphic in the place of each PNG that has one."""

    default_priority = 400
    formats = ("html",)

    def run(self, **_: object) -> None:
        root = Path(self.app.srcdir)
        for number, image in enumerate(list(self.document.findall(nodes.image))):
            png = root / image["uri"]
            if png.suffix != ".png" or not png.is_file():
                continue
            picture = png.read_bytes()
            if svg_path(root, picture).is_file():
                text = inlined(picture, image.get("alt", ""), root, f"f{number}-")
                image.replace_self(nodes.raw("", text, format="html"))


def _write_style(app: Sphinx, *_: object) -> None:
    if app.builder.format == "html":
        folder = Path(app.outdir) / "_static"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "figures.css").write_text(style_sheet(), encoding="utf-8")


def setup(app: Sphinx) -> None:
    app.add_post_transform(InlineFigures)
    app.add_css_file("figures.css")
    app.connect("build-finished", _write_style)
