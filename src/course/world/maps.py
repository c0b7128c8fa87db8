"""A fixed map of 24 places, and routes over it.

The places lie on a grid of 4 rows and 6 columns whose edges are joined (going east from the last
column leads to the first), so that every place has a neighbour in each direction and a route never
leaves the map.

A route belongs to the split of its first hop, so that no route of the corpus begins like one that
is held out.
"""

from functools import cache

from course.foundation.rng import Rng
from course.world import lexicon as lex
from course.world.split import split_table

SPLIT_KEY = "route"
ROWS, COLUMNS = 4, 6
_STEP = {"north": (-1, 0), "south": (1, 0), "east": (0, 1), "west": (0, -1)}


@cache
def grid() -> tuple[tuple[str, ...], ...]:
    """The places row by row, north on top and west on the left."""
    places = Rng("map/1").sample(lex.PLACES, len(lex.PLACES))
    return tuple(tuple(places[row * COLUMNS : (row + 1) * COLUMNS]) for row in range(ROWS))


@cache
def neighbours() -> dict[tuple[str, str], str]:
    """(place, direction) -> the next place."""
    return {
        (place, way): grid()[(row + dr) % ROWS][(col + dc) % COLUMNS]
        for row, places in enumerate(grid())
        for col, place in enumerate(places)
        for way, (dr, dc) in _STEP.items()
    }


def walk(start: str, ways: list[str]) -> list[str]:
    """The places passed after each step, ``len(ways)`` of them; the last is where the route ends."""
    places = []
    for way in ways:
        start = neighbours()[start, way]
        places.append(start)
    return places


@cache
def _hop_splits() -> dict[str, str]:
    return split_table(SPLIT_KEY, tuple(f"{way} of {place}" for place, way in neighbours()))


def split_of_route(start: str, ways: list[str]) -> str:
    """The split of a route: that of its first hop."""
    return _hop_splits()[f"{ways[0]} of {start}"]
