"""An interval against its threshold as a small inline SVG, in the colour of the text around it."""

import math
from collections.abc import Callable

#: Size in pixels, and the room left at each side.
_WIDTH, _HEIGHT, _ROOM = 170, 26, 8


def interval_bar(
    low: float, mean: float, high: float, region: tuple[float, float], ratio: bool, alt: str
) -> str:
    """The interval as a thick line with its mean as a dot; the values that were wanted are shaded,
    and a threshold is a dashed line. It is drawn in ``currentColor``, so light and dark pages both
    show it.

    Args:
        region: the values that were wanted, an infinite end where there is no threshold.
        ratio: whether the scale is logarithmic.
        alt: what it shows, in words.

    Returns:
        HTML. All figures have a decimal point.
    """
    ends = [end for end in region if math.isfinite(end)]
    place = _scale([low, mean, high, *ends], ratio)
    left, right = (place(end) for end in region)
    shaded = _rect(left, 3, right - left, _HEIGHT - 6, 0.13)
    thresholds = "".join(_line(place(end), 1, _HEIGHT - 1) for end in ends)
    span = _rect(place(low), _HEIGHT / 2 - 2.5, max(place(high) - place(low), 1.5), 5, 0.65)
    dot = f'<circle cx="{place(mean):.1f}" cy="{_HEIGHT / 2:.1f}" r="4.5" fill="currentColor"/>'
    return (
        f'<svg role="img" aria-label="{alt}" viewBox="0 0 {_WIDTH} {_HEIGHT}"'
        f' width="{_WIDTH}" height="{_HEIGHT}"><title>{alt}</title>'
        f"{shaded}{thresholds}{span}{dot}</svg>"
    )


def _scale(values: list[float], ratio: bool) -> Callable[[float], float]:
    """Value -> pixel, with room at both sides; an infinite value is at the edge."""
    turned: Callable[[float], float] = _log if ratio else float
    first, last = turned(min(values)), turned(max(values))
    width = (last - first) or 1.0

    def place(value: float) -> float:
        share = (turned(value) - first) / width
        return min(max(_ROOM + share * (_WIDTH - 2 * _ROOM), 0.0), float(_WIDTH))

    return place


def _log(value: float) -> float:
    return math.log(value) if value > 0 else -math.inf


def _rect(x: float, y: float, width: float, height: float, opacity: float) -> str:
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
        f' fill="currentColor" opacity="{opacity}"/>'
    )


def _line(x: float, top: float, bottom: float) -> str:
    return (
        f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top:.1f}" y2="{bottom:.1f}"'
        ' stroke="currentColor" stroke-dasharray="3 2"/>'
    )
