"""The bar of an interval: where its parts lie, on both scales, and all figures are decimals."""

import math
import re

import pytest

from course.plots.interval_bar import interval_bar


def drawn(low, mean, high, region, ratio=False) -> dict[str, list[float]]:
    """Places (pixels) of the shaded region, the thresholds, the interval and the dot."""
    bar = interval_bar(low, mean, high, region, ratio, "in words")
    assert bar.startswith('<svg role="img" aria-label="in words"') and bar.endswith("</svg>")
    assert all("." in n for n in re.findall(r'(?:x|y|x1|x2|cx|width)="([\d.]+)"', bar)[2:])
    boxes = [
        (float(x), float(w))
        for x, w in re.findall(r'x="([\d.]+)" y="[\d.]+" width="([\d.]+)"', bar)
    ]
    (shaded, span), (dot,) = [[x, x + w] for x, w in boxes], re.findall(r'cx="([\d.]+)"', bar)
    lines = [float(x) for x in re.findall(r'x1="([\d.]+)"', bar)]
    return {"shaded": shaded, "span": span, "dot": [float(dot)], "lines": lines}


@pytest.mark.parametrize(
    ("region", "shaded", "lines"),
    [
        ((10, math.inf), [8, 170], [8]),
        ((10, 30), [8, 162], [8, 162]),
    ],
)
def test_parts_lie_where_their_values_are(region, shaded, lines):
    parts = drawn(12, 15, 20, region) if region[1] != math.inf else drawn(12, 15, 30, region)
    assert parts["shaded"] == pytest.approx(shaded) and parts["lines"] == lines
    assert parts["span"][0] < parts["dot"][0] < parts["span"][1]
    place = [8 + (value - 10) / 20 * 154 for value in (12, 15)]
    assert [parts["span"][0], *parts["dot"]] == pytest.approx(place, abs=0.06)


def test_ratios_are_drawn_on_the_log_scale():
    parts = drawn(2, 4, 8, (1, math.inf), ratio=True)
    assert parts["dot"][0] - parts["span"][0] == pytest.approx(154 / 3, abs=0.1)
    assert parts["span"][1] - parts["dot"][0] == pytest.approx(154 / 3, abs=0.1)


def test_an_interval_without_width_is_still_seen():
    parts = drawn(3, 3, 3, (3, math.inf))
    assert parts["span"][1] - parts["span"][0] == 1.5
