"""The colours of the book: one for each thing, the same in every figure, on light and dark pages.

A hue says what is done with the model: orange opens it (its weights or its gradients), blue prompts
it, green are words that people wrote, purple is a rival of either, and grey are bounds and controls
that are no method. A dotted or dashed line is a level to compare with; curves are solid, and no two
of a panel have one colour.
"""

from collections.abc import Iterable

#: The opened model (specialist, BERT) and the prompted one (generalist, GPT): of the hues of Okabe
#: and Ito, safe for the colour-blind, dark enough for text.
OPENED, PROMPTED = "#b34e00", "#0072b2"
#: The best possible answer.
CEILING = "#6b6b6b"
#: What people wrote.
PEOPLE = "#00735c"
#: Another way that is neither, and a second one.
RIVAL, SECOND_RIVAL = "#9c4878", "#cc79a7"
#: A method without a pretrained model, or one that does nothing.
CONTROL = "#a8a8a8"
#: Text and frames; the darkest is also that of what a figure compares with.
INK, DARK_GREY, QUIET = "#222222", "#333333", "#555555"
#: What chance alone reaches.
CHANCE = INK
#: The hues of the opened and the prompted model from the strong shade to the pale one.
ORANGES = (OPENED, "#e67e22", "#f0b27a", "#5e2900")
BLUES = (PROMPTED, "#4a98c9", "#9ecae1")
#: A bar that is not the one to look at, beside a blue one and beside an orange one.
PALE, PALE_OPENED = BLUES[2], "#c9a58c"
#: The page, and text on a strong colour.
PAGE, ON_COLOUR = "#fcfcfa", "#ffffff"
#: Frames, rules and grounds, from dark to light.
FRAME, RULE, LEADER, GRID, LINK = "#777777", "#999999", "#aaaaaa", "#cccccc", "#cfcfcf"
FROZEN, GROUND = "#dedbd5", "#e9e4dc"
#: Text on a ground that is the same on every page, such as a cell of a heat map, and its shades.
ON_LIGHT, ON_STRONG = "#212121", "#fefefe"
HEAT = ("#f7f3ee", "#f5c396", "#b04c00")

#: What figures compare, as they call it -> its colour.
COLOURS = {
    # how a model is adapted, and what it is
    "prompted": PROMPTED,
    "few-shot": PROMPTED,
    "demonstrations": PROMPTED,
    "zero-shot": BLUES[1],
    "fine-tuned": OPENED,
    "tuned": OPENED,
    "base": PROMPTED,
    "base at its best": CEILING,
    "pretrained": OPENED,
    "from scratch": RIVAL,
    "adapters": OPENED,
    "LoRA": ORANGES[1],
    "whole models": RIVAL,
    "prefix tuning": ORANGES[3],
    "random start": OPENED,
    "start from a text": PEOPLE,
    "prompt tuning": RIVAL,
    "P-tuning": SECOND_RIVAL,
    # words, by who or what found them
    "people's words": PEOPLE,
    "hand-written": PEOPLE,
    "the corpus's title": CEILING,
    "AutoPrompt": OPENED,
    "AutoPrompt's words": OPENED,
    "PEZ": ORANGES[2],
    "RLPrompt": PROMPTED,
    "a model's words": BLUES[1],
    "found": PROMPTED,
    "written": PROMPTED,
    "random swaps": BLUES[1],
    "random": BLUES[2],
    "random words": BLUES[2],
    "random search": BLUES[1],
    "single words": CONTROL,
    "no prefix": INK,
    "eight vectors": RIVAL,
    # what demonstrations say, and how a request is put
    "right": PROMPTED,
    "flipped": RIVAL,
    "foreign": CONTROL,
    "with the template": PROMPTED,
    "without": BLUES[1],
    "below the input": PROMPTED,
    "above it": BLUES[1],
    # how an answer is reasoned out and chosen
    "chain": PROMPTED,
    "standard": CONTROL,
    "least to most": BLUES[1],
    "parts given": CEILING,
    "vote": PROMPTED,
    "weighted vote": RIVAL,
    "best of n": OPENED,
    "stated sums": ORANGES[3],
    "larger reads": ORANGES[1],
    "any right": CEILING,
    "greedy": QUIET,
    # races of prompts
    "halving": PROMPTED,
    "UCB": RIVAL,
    "uniform": CONTROL,
    # how a reward is followed, and how policies start
    "best-of-n": PROMPTED,
    "rejection sampling": ORANGES[1],
    "DPO": OPENED,
    "RLOO": ORANGES[3],
    "GRPO": RIVAL,
    "gold": CEILING,
    "by gold": CEILING,
    "at random": INK,
    "places alone": RIVAL,
    "learned": OPENED,
    "learned, reads": RIVAL,
    # the models that a prompt found for one of them is given to
    "the model searched on": BLUES[1],
    "other seed": RIVAL,
    "third seed": SECOND_RIVAL,
    "smaller": BLUES[2],
    "larger": PROMPTED,
}
#: For what has no colour of its own, in this order.
_OTHERS = (PROMPTED, OPENED, RIVAL, INK)
#: Lever -> colours of its methods, in their order.
LEVERS = {
    "prompt": BLUES,
    "training": ORANGES,
    "control": (CEILING, CONTROL),
}

#: Shades for lines and areas that are too light for text -> the shade in which their names stand.
TEXT = {
    BLUES[2]: "#47748f",
    BLUES[1]: "#2a74a3",
    ORANGES[2]: "#8f5f2a",
    ORANGES[1]: "#a05a14",
    CONTROL: "#6f6f6f",
    SECOND_RIVAL: RIVAL,
}
#: Every colour of a figure on a light page -> the one that takes its place on a dark page.
DARK = {
    PAGE: "#15191f",
    ON_COLOUR: "#10141a",
    INK: "#e8e6e1",
    DARK_GREY: "#d6d3cd",
    QUIET: "#b4b1ab",
    OPENED: "#ff9a4d",
    PROMPTED: "#5bb5f0",
    CEILING: "#a9a9a9",
    PEOPLE: "#4cc9a4",
    RIVAL: "#e0a5c6",
    SECOND_RIVAL: "#c2709d",
    CONTROL: "#7d7d7d",
    BLUES[1]: "#4a98c9",
    BLUES[2]: "#3f6f8c",
    ORANGES[1]: "#c96f20",
    ORANGES[2]: "#8a5f36",
    ORANGES[3]: "#ffd2a8",
    PALE_OPENED: "#765640",
    "#47748f": "#a6c8dc",
    "#2a74a3": "#7fbde6",
    "#8f5f2a": "#dfbd94",
    "#a05a14": "#f0a85e",
    "#6f6f6f": "#b9b9b9",
    FRAME: "#9a9a9a",
    RULE: "#8a8a8a",
    LEADER: "#6f6f6f",
    GRID: "#4a4f57",
    LINK: "#4a4f57",
    FROZEN: "#3a3f47",
    GROUND: "#2b3038",
}


def text_colour(colour: str) -> str:
    """The shade of a colour in which text can be read."""
    return TEXT.get(colour, colour)


def colours_of(names: Iterable[str]) -> dict[str, str]:
    """A colour for each of several names: its own in the book, or one that no other of them has.

    Raises:
        ValueError: if more names without a colour of their own are given than there are colours.
    """
    names = list(names)
    own = {name: COLOURS[name] for name in names if name in COLOURS}
    left = [colour for colour in _OTHERS if colour not in own.values()]
    without = [name for name in names if name not in own]
    if len(without) > len(left):
        raise ValueError(
            f"{len(without)} names without a colour of their own, and {len(left)} colours are "
            f"left; give one in course.plots.colours.COLOURS to each of {', '.join(without)}"
        )
    return own | dict(zip(without, left, strict=False))
