"""Figures of the two expectations: the words that GPT and BERT put into blanks."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from course.plots.colours import BLUES, OPENED, PROMPTED
from course.plots.style import name_ends

#: Of the lines of the ways, in their order: where two coincide the lower one is seen beside the
#: upper.
_WIDTHS = (2, 5, 2)
#: Words with their probabilities, the likeliest first.
Words = Sequence[tuple[str, float]]


def same_text_two_models(sentences: Sequence[tuple[str, str, Words, Words]]) -> Figure:
    """The likeliest words of GPT and of BERT for the same blanks, side by side.

    Args:
        sentences: (sentence with a blank, word that stood there, GPT's words, BERT's words) each.
    """
    figure, axes = plt.subplots(
        len(sentences), 2, figsize=(7.4, 2.15 * len(sentences)), squeeze=False
    )
    for (left, right), (text, word, by_gpt, by_bert) in zip(axes, sentences, strict=True):
        top_words(left, by_gpt, PROMPTED, f"{text}\nGPT, from the left only", word)
        top_words(right, by_bert, OPENED, "\nBERT, from both sides", word)
    return figure


def by_clue(table: pd.DataFrame, kinds: dict[str, str], ways: dict[str, str]) -> Figure:
    """Share of blanks filled right, clue on the left against clue on the right: a line a way to
    fill them in each kind of text.

    Args:
        table: rows with ``task`` (a kind of text), ``clue``, ``way`` and ``value`` (percent).
        kinds: kind of text -> title of its panel.
        ways: GPT's way in one pass, BERT's, and GPT's by reading every candidate -> their names.
    """
    colours = (PROMPTED, OPENED, BLUES[1])
    figure, axes = plt.subplots(1, len(kinds), figsize=(7.4, 3.0), sharey=True, squeeze=False)
    for ax, (kind, title) in zip(axes[0], kinds.items(), strict=True):
        ends = []
        for (way, label), colour, width in zip(ways.items(), colours, _WIDTHS, strict=True):
            of_way = table[(table["task"] == kind) & (table["way"] == way)]
            sides = [of_way[of_way["clue"] == clue]["value"] for clue in ("left", "right")]
            means = [np.mean(side) for side in sides]
            ax.plot((0, 1), means, color=colour, marker="o", linewidth=width, markersize=width + 4)
            for x, side in enumerate(sides):
                ax.plot([x] * len(side), side, ".", color=colour, alpha=0.35)
            ends.append((means[1], label, colour))
        name_ends(ax, 1.12, ends, 11, highest=100)
        ax.set_xticks((0, 1), ("clue on\nthe left", "clue on\nthe right"))
        ax.set_xlim(-0.3, 1.8)
        ax.set_ylim(-4, 106)
        ax.set_title(title, fontsize=11)
    axes[0, 0].set_ylabel("filled in right (%)")
    return figure


def top_words(ax: Axes, likeliest: Words, colour: str, title: str, right: str) -> None:
    """Words as horizontal bars with their percentages, the right word in bold.

    Args:
        likeliest: words with their probabilities, the likeliest first; an empty word is a line
            break.
        right: the word that stood in the text.
    """
    # a dollar sign would begin a formula
    words = [word.replace("$", r"\$") or "line break" for word, _ in likeliest]
    percents = [100 * probability for _, probability in likeliest]
    rows = np.arange(len(words))[::-1]
    ax.barh(rows, percents, color=colour, height=0.7)
    for row, percent in zip(rows, percents, strict=True):
        ax.text(percent + 2, row, f"{percent:.0f} %", va="center", fontsize=10)
    ax.set_yticks(rows, words)
    for label, word in zip(ax.get_yticklabels(), words, strict=True):
        label.set_fontweight("bold" if word.casefold() == right.casefold() else "normal")
    ax.set_xlim(0, 118)
    ax.set_xticks([])
    ax.spines["bottom"].set_visible(False)
    ax.tick_params(left=False)
    ax.set_title(title, fontsize=11)
