"""Figures of the two expectations: the words that GPT and BERT put into blanks."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from course.lm.predictor import Predictor
from course.plots.style import OPENED, PROMPTED, name_ends


def same_text_two_models(
    sentences: Sequence[tuple[str, str, torch.Tensor, torch.Tensor]],
    gpt: Predictor,
    bert: Predictor,
) -> Figure:
    """For each (sentence with a blank, right word, GPT's and BERT's log-probabilities): both
    models' likeliest words.
    """
    figure, axes = plt.subplots(
        len(sentences), 2, figsize=(7.4, 2.15 * len(sentences)), squeeze=False
    )
    for (left, right), (text, word, by_gpt, by_bert) in zip(axes, sentences, strict=True):
        top_words(left, gpt, by_gpt, PROMPTED, f"{text}\nGPT, from the left only", word)
        top_words(right, bert, by_bert, OPENED, "\nBERT, from both sides", word)
    return figure


def by_clue(table: pd.DataFrame, kinds: dict[str, str]) -> Figure:
    """Share of blanks filled right, clue on the left against clue on the right: a line a model in
    each kind of text.

    Args:
        table: rows with ``task`` (a kind of text), ``clue``, ``model`` and ``value`` (percent).
        kinds: kind of text -> title of its panel.
    """
    figure, axes = plt.subplots(1, len(kinds), figsize=(7.4, 3.0), sharey=True, squeeze=False)
    for ax, (kind, title) in zip(axes[0], kinds.items(), strict=True):
        ends = []
        for name, colour, label in (("gpt", PROMPTED, "GPT"), ("bert", OPENED, "BERT")):
            of_model = table[(table["task"] == kind) & (table["model"] == name)]
            sides = [of_model[of_model["clue"] == clue]["value"] for clue in ("left", "right")]
            means = [np.mean(side) for side in sides]
            ax.plot((0, 1), means, color=colour, marker="o")
            for x, side in enumerate(sides):
                ax.plot([x] * len(side), side, ".", color=colour, alpha=0.35)
            ends.append((means[1], label, colour))
        name_ends(ax, 1.12, ends, 11)
        ax.set_xticks((0, 1), ("clue on\nthe left", "clue on\nthe right"))
        ax.set_xlim(-0.3, 1.8)
        ax.set_ylim(-4, 106)
        ax.set_title(title, fontsize=11)
    axes[0, 0].set_ylabel("filled in right (%)")
    return figure


def top_words(
    ax: Axes,
    model: Predictor,
    log_probabilities: torch.Tensor,
    colour: str,
    title: str,
    right: str,
    count: int = 5,
) -> None:
    """The likeliest words as horizontal bars with their percentages; the right word in bold.

    Args:
        log_probabilities: (vocabulary,), in nats.
        right: the word that stood in the text.
    """
    values, ids = log_probabilities.exp().topk(count)
    # a dollar sign would begin a formula
    words = [
        model.tokenizer.decode([int(i)]).strip().replace("$", r"\$") or "line break" for i in ids
    ]
    rows = np.arange(count)[::-1]
    ax.barh(rows, 100 * values.numpy(), color=colour, height=0.7)
    for row, value in zip(rows, values, strict=True):
        ax.text(100 * value + 2, row, f"{100 * value:.0f} %", va="center", fontsize=10)
    ax.set_yticks(rows, words)
    for label, word in zip(ax.get_yticklabels(), words, strict=True):
        label.set_fontweight("bold" if word.casefold() == right.casefold() else "normal")
    ax.set_xlim(0, 118)
    ax.set_xticks([])
    ax.spines["bottom"].set_visible(False)
    ax.tick_params(left=False)
    ax.set_title(title, fontsize=11)
