"""The figures of the book: one message each, labelled directly, in colours that mean the same everywhere."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from course.claims import interval
from course.predict import Predictor
from course.training import History

#: The opened model (specialist, BERT) and the prompted one (generalist, GPT): colours of Okabe and Ito, safe for the colour-blind.
OPENED, PROMPTED = "#d55e00", "#0072b2"
#: The best possible answer.
CEILING = "#8a8a8a"
_STYLE = Path(__file__).parent / "book.mplstyle"


def use_style() -> None:
    """Draw in the style of the book from here on."""
    plt.style.use(_STYLE)


def top_words(ax: Axes, model: Predictor, log_probabilities: torch.Tensor, colour: str, title: str, right: str, count: int = 5) -> None:
    """The likeliest words as horizontal bars with their percentages; the right word in bold.

    Args:
        log_probabilities: (vocabulary,), in nats.
        right: the word that stood in the text.
    """
    values, ids = log_probabilities.exp().topk(count)
    # a dollar sign would begin a formula
    words = [model.tokenizer.decode([int(i)]).strip().replace("$", r"\$") or "line break" for i in ids]
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


def same_text_two_models(sentences: Sequence[tuple[str, str, torch.Tensor, torch.Tensor]], gpt: Predictor, bert: Predictor) -> Figure:
    """For each (sentence with a blank, right word, GPT's and BERT's log-probabilities): both models' likeliest words."""
    figure, axes = plt.subplots(len(sentences), 2, figsize=(7.4, 2.15 * len(sentences)), squeeze=False)
    for (left, right), (text, word, by_gpt, by_bert) in zip(axes, sentences, strict=True):
        top_words(left, gpt, by_gpt, PROMPTED, f"{text}\nGPT, from the left only", word)
        top_words(right, bert, by_bert, OPENED, "\nBERT, from both sides", word)
    return figure


def by_clue(values: Sequence[dict], kinds: dict[str, str]) -> Figure:
    """Share of blanks filled right, clue on the left against clue on the right: a line a model in each kind of text."""
    figure, axes = plt.subplots(1, len(kinds), figsize=(7.4, 3.0), sharey=True, squeeze=False)
    for ax, (kind, title) in zip(axes[0], kinds.items(), strict=True):
        ends = []
        for name, colour, label in (("gpt", PROMPTED, "GPT"), ("bert", OPENED, "BERT")):
            sides = [[value[kind][clue][name] for value in values] for clue in ("left", "right")]
            means = [np.mean(side) for side in sides]
            ax.plot((0, 1), means, color=colour, marker="o")
            for x, side in enumerate(sides):
                ax.plot([x] * len(side), side, ".", color=colour, alpha=0.35)
            ends.append((means[1], label, colour))
        ends.sort()
        for (_, label, colour), y in zip(ends, _spread([end[0] for end in ends], 11), strict=True):
            ax.text(1.12, y, label, color=colour, fontweight="bold", va="center")
        ax.set_xticks((0, 1), ("clue on\nthe left", "clue on\nthe right"))
        ax.set_xlim(-0.3, 1.8)
        ax.set_ylim(-4, 106)
        ax.set_title(title, fontsize=11)
    axes[0, 0].set_ylabel("filled in right (%)")
    return figure


_HEAT = LinearSegmentedColormap.from_list("accuracy", ["#f7f3ee", "#f5c396", OPENED])


def _cells(ax: Axes, table: pd.DataFrame) -> None:
    """A table of percentages as coloured cells with their numbers, column names on top; a missing value stays empty."""
    ax.imshow(table.to_numpy(), cmap=_HEAT, vmin=0, vmax=100, aspect="auto")
    for i, j in np.ndindex(table.shape):
        value = table.iloc[i, j]
        if not np.isnan(value):
            own = table.index[i] == table.columns[j]
            ax.text(j, i, f"{value:.0f}", ha="center", va="center", color="white" if value > 70 else "#222222",
                    fontweight="bold" if own else "normal")  # fmt: skip
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)


def heat_map(table: pd.DataFrame, title: str) -> Figure:
    """Accuracy (percent) of every model on every task; a frame marks each specialist's own task."""
    figure, ax = plt.subplots(figsize=(6.4, 0.45 * len(table) + 1.2))
    _cells(ax, table)
    for i, row in enumerate(table.index):
        if row in table.columns:
            j = list(table.columns).index(row)
            ax.add_patch(plt.Rectangle((j - 0.46, i - 0.46), 0.92, 0.92, fill=False, edgecolor="#222222", linewidth=2))
    names = [row if i == 0 else f"tuned for {row}" for i, row in enumerate(table.index)]
    ax.set_yticks(range(len(table)), [name.replace("_", " ") for name in names])
    ax.set_xticks(range(table.shape[1]), [c.replace("_", " ") for c in table.columns], rotation=20)
    ax.set_title(title, pad=12)
    return figure


def accuracy_by_shots(table: pd.DataFrame, title: str) -> Figure:
    """Accuracy (percent) of one model: a row a task, a column a number of demonstrations."""
    figure, ax = plt.subplots(figsize=(6.4, 0.27 * len(table) + 1.0))
    _cells(ax, table)
    ax.set_yticks(range(len(table)), [name.replace("_", " ") for name in table.index])
    ax.set_xticks(range(table.shape[1]), table.columns)
    ax.set_title(title, pad=12)
    return figure


def _band(ax: Axes, x: Sequence[float], runs: np.ndarray, colour: str, style: str = "-") -> np.ndarray:
    """The mean of runs (seeds, points) as a line, with the 95 % interval as a band; returns the mean."""
    means = runs.mean(0)
    ax.plot(x, means, style, color=colour, marker="o", markersize=4)
    if len(runs) >= 3:
        spans = [interval(column) for column in runs.T]
        ax.fill_between(x, [s.low for s in spans], [s.high for s in spans], color=colour, alpha=0.18, linewidth=0)
    return means


def cost_of_a_new_task(values: Sequence[dict], tasks: Sequence[str]) -> Figure:
    """Accuracy on one task: a specialist by its number of labels, the generalist by its number of demonstrations."""
    figure, axes = plt.subplots(2, -(-len(tasks) // 2), figsize=(7.4, 5.0), sharex=True, sharey=True)
    for i, (ax, task) in enumerate(zip(axes.flat, tasks, strict=False)):
        labels = list(values[0]["by_labels"][task])
        shots = list(values[0]["by_shots"][task])
        tuned = np.array([[v["by_labels"][task][n] for n in labels] for v in values])
        shown = np.array([[v["by_shots"][task][k] for k in shots] for v in values])
        _band(ax, [int(n) for n in labels], tuned, OPENED)
        _band(ax, [int(k) for k in shots], shown, PROMPTED)
        ax.set_xscale("log")
        ax.set_xticks([1, 10, 100, 1000], ["1", "10", "100", "1000"])
        ax.set_title(task.replace("_", " "), fontsize=11)
        ax.set_ylim(0, 106)
        if i == 0:
            ax.annotate("prompted", (0.8, 78), color=PROMPTED, fontweight="bold")
            ax.annotate("fine-tuned", (int(labels[2]), 12), color=OPENED, fontweight="bold", ha="center")
    for ax in axes.flat[len(tasks) :]:
        ax.set_visible(False)
    figure.supxlabel("labelled examples (in the prompt, or trained on)", fontsize=11)
    figure.supylabel("accuracy (%)", fontsize=11)
    return figure


def shots_and_ceiling(values: Sequence[dict], names: dict[str, str], tasks: dict[str, str], shots: Sequence[int]) -> Figure:
    """Accuracy by number of demonstrations for the ladder of models, under the exact posterior's ceiling."""
    figure, axes = plt.subplots(1, len(tasks), figsize=(7.4, 3.6), sharey=True, squeeze=False)
    x = range(len(shots))
    shades = ("#9ecae1", "#4a98c9", PROMPTED)
    for ax, (task, title) in zip(axes[0], tasks.items(), strict=True):
        first = next(iter(names))
        best = np.array([[100 * v[first]["in_context"][task][str(k)]["ceiling"] for k in shots] for v in values])
        ax.plot(x, best.mean(0), color=CEILING, linewidth=3)
        ax.text(-0.1, 97, "best possible", color=CEILING, fontweight="bold")
        ends = []
        for (name, label), shade in zip(names.items(), shades[-len(names) :], strict=True):
            runs = np.array([[100 * v[name]["in_context"][task][str(k)]["model"] for k in shots] for v in values])
            ends.append((_band(ax, x, runs, shade)[-1], label, shade))
        for (_, label, shade), y in zip(sorted(ends), _spread([e[0] for e in sorted(ends)], 7), strict=True):
            ax.text(len(shots) - 0.85, y, label, color=shade, va="center", fontweight="bold", fontsize=10)
        ax.set_xticks(x, [str(k) for k in shots])
        ax.set_xlim(-0.2, len(shots) + 0.5)
        ax.set_ylim(0, 104)
        ax.set_title(title, fontsize=11)
        ax.set_xlabel("demonstrations")
    axes[0, 0].set_ylabel("accuracy (%)")
    return figure


def _spread(values: Sequence[float], gap: float) -> list[float]:
    """Positions for labels of rising ``values`` that keep at least ``gap`` between neighbours."""
    placed: list[float] = []
    for value in values:
        placed.append(max(value, placed[-1] + gap) if placed else value)
    return placed


def learning_curve(history: History, score: str, title: str = "") -> Figure:
    """Loss by optimiser step, each and smoothed, and below it the validation scores with the best one marked.

    Args:
        score: what the scores are, with their unit, e.g. ``"accuracy (%)"``.
    """
    figure, axes = plt.subplots(2 if history.scores else 1, 1, figsize=(6.4, 4.4 if history.scores else 2.6), sharex=True, squeeze=False)
    top, steps = axes[0, 0], np.arange(1, len(history.losses) + 1)
    smooth = pd.Series(history.losses).rolling(max(1, len(steps) // 20), min_periods=1).mean()
    top.plot(steps, history.losses, color=OPENED, alpha=0.3, linewidth=1)
    top.plot(steps, smooth, color=OPENED)
    top.annotate("training", (steps[-1], smooth.iloc[-1]), (4, 0), textcoords="offset points", color=OPENED, fontweight="bold", va="center")
    top.set_ylim(bottom=0)
    top.set_ylabel("loss (nats)")
    top.set_title(title, fontsize=11)
    if history.scores:
        done, values = zip(*history.scores, strict=True)
        best = dict(history.scores)[history.best_step]
        axes[1, 0].plot(done, values, color=OPENED, marker="o", markersize=4)
        axes[1, 0].plot(history.best_step, best, "o", color=OPENED, markersize=11, fillstyle="none")
        axes[1, 0].annotate(f"best: {best:.3g}", (history.best_step, best), (8, 8), textcoords="offset points", fontweight="bold")
        if history.stopped_early:
            axes[1, 0].annotate("stopped", (done[-1], values[-1]), (6, 0), textcoords="offset points", color=OPENED, va="center")
        axes[1, 0].margins(y=0.25)
        axes[1, 0].set_ylabel(score)
    axes[-1, 0].set_xlim(0, 1.14 * len(steps))
    axes[-1, 0].set_xlabel("optimiser step")
    return figure


def training_curves(curves: dict[str, tuple[Sequence[float], float]]) -> Figure:
    """Loss (nats a label) by tokens (millions) for name -> (losses at equal distances, tokens in all)."""
    figure, ax = plt.subplots(figsize=(7.2, 3.6))
    ends = []
    for (name, (losses, tokens)), shade in zip(curves.items(), plt.cm.viridis(np.linspace(0.1, 0.85, len(curves))), strict=True):
        x = np.linspace(0, tokens / 1e6, len(losses))
        ax.plot(x, losses, color=shade, linewidth=1.5)
        ends.append((losses[-1], name, shade, x[-1]))
    ends.sort(key=lambda end: end[0])
    limit = max(end[3] for end in ends)
    for (_, name, shade, x), y in zip(ends, _spread([e[0] for e in ends], 0.07), strict=True):
        ax.text(x + 0.01 * limit, y, name, color=shade, va="center", fontsize=10, fontweight="bold")
    ax.set_xlim(0, 1.22 * limit)
    # the beginning of the training, where every model still guesses, would flatten the rest
    ax.set_ylim(0.9 * ends[0][0], np.median([losses[len(losses) // 10] for losses, _ in curves.values()]) * 1.2)
    ax.set_xlabel("tokens (millions)")
    ax.set_ylabel("loss (nats a label)")
    return figure
