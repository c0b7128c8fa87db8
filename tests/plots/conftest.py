"""Every figure that a test draws is held to the grammar of colours, and to a phone's width."""

from collections import Counter

import matplotlib
import matplotlib.pyplot as plt
import pytest
from contrast import contrast
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text

from course.plots import use_style
from course.plots.colours import DARK, ON_COLOUR, ON_LIGHT, ON_STRONG, PAGE
from course.plots.phone import SCREEN, SMALLEST_TEXT, for_phone, smallest_text

matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def held_to_the_grammar():
    plt.close("all")
    use_style()
    yield
    figures = [plt.figure(number) for number in plt.get_fignums()]
    try:
        for figure in figures:
            assert texts_that_are_hard_to_read(figure) == {}
            assert curves_of_one_colour(figure) == []
            narrow = for_phone(figure) or figure
            pixels = smallest_text(narrow) * SCREEN / (72 * narrow.get_figwidth())
            assert pixels >= SMALLEST_TEXT - 0.01
    finally:
        plt.close("all")


def texts_that_are_hard_to_read(figure: Figure) -> dict[str, str]:
    """Text -> its colour, of what has a contrast below 4.5 on the light or on the dark page."""
    on_a_ground = {ON_COLOUR, ON_LIGHT, ON_STRONG}
    shown = {
        text.get_text(): to_hex(text.get_color())
        for text in figure.findobj(Text)
        if text.get_visible() and text.get_text().strip()
    }
    return {
        text: colour
        for text, colour in shown.items()
        if colour not in on_a_ground
        and min(contrast(colour, PAGE), contrast(DARK[colour], DARK[PAGE])) < 4.5
    }


def curves_of_one_colour(figure: Figure) -> list[str]:
    """Colours that two curves of a panel have. Runs are pale, levels and rules are straight."""
    return [
        colour
        for ax in figure.axes
        for colour, count in Counter(
            to_hex(line.get_color()) for line in ax.lines if _is_curve(line)
        ).items()
        if count > 1
    ]


def _is_curve(line: Line2D) -> bool:
    x, y = line.get_data()
    straight = len({*x}) == 1 or len(x) == 2 and y[0] == y[1]
    plain = line.get_linestyle() == "-" and line.get_alpha() is None
    return len(x) > 1 and plain and not straight and line.get_linewidth() > 1
