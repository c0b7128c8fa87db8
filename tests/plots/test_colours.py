"""One grammar of colours: figures name none themselves, and what is written can be read on light
and dark pages.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from contrast import contrast
from matplotlib import colors

from course.plots import colours
from course.plots.colours import (
    COLOURS,
    DARK,
    LEVERS,
    ON_COLOUR,
    OPENED,
    PAGE,
    PROMPTED,
    colours_of,
    text_colour,
)

ROOT = Path(__file__).parents[2]
CODE_CELL = re.compile(r"^```\{code-cell\}[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
#: Settings of matplotlib that take a colour.
SETTINGS = re.compile(r"(.*colou?rs?|c|ink|shades?|cmap)")
#: Colours whose ground is the same on every page, so that they are, too.
FIXED = {colours.ON_LIGHT, colours.ON_STRONG, *colours.HEAT}


def test_the_contrast_is_that_of_the_standard():
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("dark", [False, True])
def test_every_name_of_a_figure_can_be_read(dark):
    drawn = {
        *COLOURS.values(),
        *colours._OTHERS,
        *(c for shades in LEVERS.values() for c in shades),
    }
    plain = {colours.CEILING, colours.INK, colours.DARK_GREY, colours.QUIET}
    shown = {c: DARK[c] if dark else c for c in {text_colour(c) for c in drawn} | plain}
    ground, on_colour = (DARK[PAGE], DARK[ON_COLOUR]) if dark else (PAGE, ON_COLOUR)
    low = {c: round(contrast(s, ground), 1) for c, s in shown.items() if contrast(s, ground) < 4.5}
    assert low == {}
    assert all(contrast(shown[c], on_colour) >= 4.5 for c in (OPENED, PROMPTED))


def test_a_dark_page_can_exchange_every_colour():
    mine = {c for c in vars(colours).values() if isinstance(c, str) and c.startswith("#")}
    mine |= {*COLOURS.values(), *colours.TEXT.values(), *colours.ORANGES, *colours.BLUES}
    assert mine - set(DARK) - FIXED == set()


def test_what_has_no_colour_of_its_own_gets_one_that_no_other_has():
    given = colours_of(("LoRA", "something", "vote", "else"))
    assert given["LoRA"] == COLOURS["LoRA"] and given["vote"] == PROMPTED
    assert len(set(given.values())) == 4
    with pytest.raises(ValueError, match="5 names without a colour of their own"):
        colours_of("abcde")


def colours_named(source: str) -> Iterator[str]:
    """Colours that a program names itself: in hexadecimal anywhere, by name in a setting."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and re.fullmatch(r"#[0-9a-fA-F]{3,8}", str(node.value)):
            yield node.value
        named = []
        if isinstance(node, ast.keyword) and SETTINGS.fullmatch(node.arg or ""):
            named = [n for n in ast.walk(node.value) if isinstance(n, ast.Constant)]
        elif isinstance(node, ast.Dict):
            named = [
                value
                for key, value in zip(node.keys, node.values, strict=True)
                if isinstance(key, ast.Constant) and SETTINGS.fullmatch(str(key.value))
            ]
        for constant in named:
            value = getattr(constant, "value", None)
            if isinstance(value, str) and value != "none" and value[:1] != "#":
                yield from [value] if colors.is_color_like(value) else []


@pytest.mark.parametrize(
    ("source", "named"),
    [
        ("ax.plot(x, y, color='#123456')", ["#123456"]),
        ("ax.plot(x, y, color='white' if dark else INK)", ["white"]),
        ("ax.annotate('a', at, arrowprops={'color': 'k'})", ["k"]),
        ("ax.plot(x, y, color=COLOURS['vote'], marker='o')", []),
        ("ax.plot(x, y, facecolor='none')", []),
    ],
)
def test_a_named_colour_is_noticed(source, named):
    assert [*colours_named(source)] == named


def test_figures_take_their_colours_from_one_place():
    drawing = {
        str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
        for folder in ("plots", "studies")
        for path in (ROOT / "src" / "course" / folder).glob("*.py")
        if path.name != "colours.py"
    }
    cells = {
        f"{page.name}, cell {number}": re.sub(r"^(:.*|[%!].*)$", "", cell, flags=re.MULTILINE)
        for page in (ROOT / "book").glob("*.md")
        for number, cell in enumerate(CODE_CELL.findall(page.read_text(encoding="utf-8")))
    }
    own = {place: [*colours_named(source)] for place, source in (drawing | cells).items()}
    assert {place: named for place, named in own.items() if named} == {}
