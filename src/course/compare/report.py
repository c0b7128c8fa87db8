"""The report of a comparison: one HTML page that needs no network, JSON and CSV beside it."""

import io
import json
import re
import shlex
from collections import Counter
from dataclasses import asdict
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course.compare.advice import Advice, crossings
from course.compare.cards import write_cards
from course.compare.coverage import MANY_UNKNOWN
from course.compare.privacy import allows
from course.compare.registry import METHODS
from course.compare.report_folder import CSV_FILE, JSON_FILE, PAGE
from course.compare.report_tables import costs_table, recalls_table, scores_table, table_of
from course.compare.task import Item
from course.foundation import write_bytes, write_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from course.compare.result import Comparison

_STYLE = """
:root { color-scheme: light dark; --ink: #222; --page: #fff; --soft: #5a5a5a; --line: #ddd; --box:
#f5f3ef; } @media (prefers-color-scheme: dark) {
  :root { --ink: #e6e6e6; --page: #16181c; --soft: #a8a8a8; --line: #3a3d44; --box: #212429; }
  .light { display: none; }
}
@media (prefers-color-scheme: light) { .dark { display: none; } }
body { color: var(--ink); background: var(--page); font: 16px/1.5 system-ui, sans-serif;
  max-width: 60rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; margin-top: 2.2rem; }
.advice { background: var(--box); border-left: 4px solid #d55e00; padding: .8rem 1rem; font-size:
1.1rem; } .advice p { margin: .3rem 0; }
.loud { border: 2px solid #d55e00; padding: .5rem 1rem; font-weight: 600; }
.soft { color: var(--soft); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; }
th, td { text-align: left; padding: .3rem .7rem .3rem 0; border-bottom: 1px solid var(--line);
  vertical-align: top; white-space: nowrap; }
td:first-child { white-space: normal; min-width: 6rem; }
td.text { white-space: normal; min-width: 11rem; overflow-wrap: anywhere; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
figure { margin: 1rem 0; }
figure svg { width: 100%; max-width: 44rem; height: auto; display: block; overflow: visible; }
@media (max-width: 30rem) {
  figure svg text { font-size: 10.5px !important; font-weight: normal !important; }
}
figcaption { color: var(--soft); font-size: .9rem; }
pre { background: var(--box); padding: .8rem; font-size: .85rem; white-space: pre-wrap;
  overflow-wrap: anywhere; }
""".strip()


def write_report(result: "Comparison", folder: Path) -> None:
    """Write the three files of a report."""
    advice = result.best()
    write_text(
        folder / JSON_FILE, json.dumps(as_json(result, advice), ensure_ascii=False, indent=1) + "\n"
    )
    write_bytes(folder / CSV_FILE, result.curve().to_csv(index=False).encode())
    write_text(folder / PAGE, page(result, advice, folder))
    write_cards(result, folder)


def as_json(result: "Comparison", advice: Advice) -> dict[str, Any]:
    """All numbers of the report."""
    table = result.table()
    rows = json.loads(table.reset_index().to_json(orient="records"))
    return {
        "advice": asdict(advice),
        "task": result.data.task.as_dict(),
        "source": result.data.source,
        "train": len(result.data.train),
        "test": len(result.data.test),
        "findings": [asdict(finding) for finding in result.data.findings],
        "models": {
            "prompted": result.choice.causal,
            "encoder": result.choice.encoder,
            "tier": result.choice.tier,
        },
        "methods": rows,
        "curve": json.loads(result.curve().to_json(orient="records")),
        "recall": {name: result.recalls(name) for name in result.complete()},
        "not tried": result.left_out,
        "unfinished": list(result.unfinished),
        "sent": list(result.sent),
        "seconds": result.seconds,
        "seconds to the first answer": result.first_seconds,
        "cells": [
            {k: v for k, v in asdict(cell).items() if k not in ("answers", "unread")}
            for cell in result.cells
        ],
    }


def page(result: "Comparison", advice: Advice, folder: Path) -> str:
    """The HTML page."""
    parts = [
        f'<div class="advice">{"".join(f"<p>{escape(s)}</p>" for s in advice.sentences)}</div>',
        _loud(result),
        _summary(result),
        "<h2>Accuracy by labels</h2>"
        if result.data.task.kind == "labels"
        else "<h2>Score by labels</h2>",
        _figure(_both(result, "curve"), _curve_caption(result, advice)),
        "<h2>What each method reaches</h2>",
        scores_table(result),
        "<h2>What it costs</h2>",
        costs_table(result),
        _figure(
            _both(result, "cost"),
            "Score against the time of one answer on this machine, with 95 % intervals.",
        ),
        recalls_table(result),
        "<h2>Errors that one method alone makes</h2>",
        _errors(result),
        _unread(result),
        "<h2>What is wrong with the data</h2>",
        _findings(result),
        "<h2>What was not tried</h2>",
        _left_out(result),
        "<h2>Licences, hosting, privacy</h2>",
        _hosting(result),
        "<h2>How it was measured, and how to repeat it</h2>",
        _repeat(result, folder),
    ]
    title = f"Which method for {escape(Path(result.data.source).name)}?"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>\n{_STYLE}\n</style>\n</head>\n<body>\n<h1>{title}</h1>\n"
        + "\n".join(parts)
        + "\n</body>\n</html>\n"
    )


def _loud(result: "Comparison") -> str:
    """What makes the figures below say little."""
    loud = [finding for finding in result.data.findings if finding.kind == MANY_UNKNOWN]
    return "".join(
        f'<p class="loud">{finding.count:,} {escape(finding.what)}: '
        f"{escape(', '.join(finding.examples))}.</p>"
        for finding in loud
    )


def _summary(result: "Comparison") -> str:
    data = result.data
    seconds = result.first_seconds
    first = "" if seconds is None else f", the first answer {seconds:.0f}"
    return (
        f'<p class="soft">{escape(data.source)}: {len(data.train):,} items to learn from, '
        f"{len(data.test):,} to test on, {escape(_asked(result))}. Intervals are 95 % and vary "
        "the test "
        "items and, where a method was run with several seeds, which labels it got and its "
        "training. "
        f"{escape(_models(result))}Took {result.seconds:.0f} seconds{first}.</p>"
    )


def _models(result: "Comparison") -> str:
    names = result.choice.titles({METHODS[name].body for name in result.names})
    return f"Models: {', '.join(names)}. " if names else ""


def _asked(result: "Comparison") -> str:
    task = result.data.task
    if task.kind == "labels":
        return f"{len(task.labels)} labels in the column {task.label!r}"
    return f"{'free answers' if task.kind == 'answers' else 'tags'} in the column {task.label!r}"


def _errors(result: "Comparison") -> str:
    task = result.data.task

    def shown(text: str, answer: str) -> str:
        """An answer for people: of tags, the names that they stand for."""
        return task.write(Item(text, answer)) if task.kind == "tags" and answer != "-" else answer

    rows = [
        [METHODS[name].title, text[:300], shown(text, right)[:80], shown(text, given)[:80]]
        for name in result.complete()
        if METHODS[name].lever != "control"
        for text, right, given in result.only_wrong(name, 3)
    ]
    if not rows:
        return '<p class="soft">None: each error is made by more than one method.</p>'
    return table_of(["method", "text", "right", "given"], rows, text=(1, 2, 3))


def _unread(result: "Comparison") -> str:
    rows = [
        [METHODS[cell.method].title, cell.size, sum(a is None for a in cell.answers), text]
        for cell in result.cells
        if cell.seed == 0
        for text in cell.unread[:2]
    ]
    if not rows:
        return ""
    head = ["method", "labels", "unread answers", "for example"]
    note = '<p class="soft">What was written instead of an answer; it counts as wrong.</p>'
    return "<h2>Answers that could not be read</h2>" + note + table_of(head, rows, text=(3,))


def _findings(result: "Comparison") -> str:
    if not result.data.findings:
        return '<p class="soft">Nothing was noticed.</p>'
    rows = [[f.kind, f"{f.count:,}", f.what, "; ".join(f.examples)] for f in result.data.findings]
    return table_of(["what", "count", "what was done", "for example"], rows, text=(2, 3))


def _left_out(result: "Comparison") -> str:
    if not result.left_out and not result.unfinished:
        return '<p class="soft">All that the plan had was measured.</p>'
    rows = [[METHODS[name].title, reason] for name, reason in result.left_out.items()]
    more = ""
    if result.unfinished:
        counts = Counter(name.rsplit("-", 2)[0] for name in set(result.unfinished))
        names = ", ".join(f"{METHODS[name].title} ({count})" for name, count in counts.items())
        more = (
            '<p class="soft">Parts of the plan for which no time was left: '
            f"{escape(names)}. The same command goes on with them.</p>"
        )
    return (table_of(["method", "why"], rows, text=(1,)) if rows else "") + more


def _hosting(result: "Comparison") -> str:
    choice, rows = result.choice, []
    bodies = {METHODS[name].body for name in result.names}
    for body, use, name in (
        ("causal", "prompted, trained to write", choice.causal),
        ("encoder", "under heads", choice.encoder),
    ):
        if name is not None:
            licence = choice.licence(name)
            # the files of a model that no method has used need not be here
            size = choice.size(name) if body in bodies else "not used"
            stays = "stays on the machine"
            rows.append(
                [use, choice.title(name), size, licence or "not stated", allows(licence), stays]
            )
    if choice.served is not None:
        texts, characters = result.sent
        told = f"{texts:,} texts with {characters:,} characters were sent"
        rows.append(
            [
                "served",
                f"{choice.served.name} at {choice.served.base_url}",
                "nothing: its provider hosts it",
                "its provider's terms",
                told,
                "leaves the machine",
            ]
        )
    note = (
        '<p class="soft">To host a method oneself takes its model in memory, some room beside it '
        "for what it computes, and the bytes that the method keeps a task; a control needs no "
        "model. What a licence allows is said in short; its text counts.</p>"
    )
    return (
        table_of(
            ["use", "model", "memory to host it", "licence", "allows", "text and weights"],
            rows,
            text=(1, 2, 4),
        )
        + note
    )


def _repeat(result: "Comparison", folder: Path) -> str:
    kept = [
        f"course use {shlex.quote(str(folder))} --method {name} < new.csv > labelled.csv"
        for name in result.learned()
    ]
    again = [result.request.repeated(str(folder))] if result.request is not None else []
    lines = "\n".join([*again, *kept])
    return (
        "<p>The test items were answered once by each method, after its setting had been chosen "
        "on a quarter of its own labels (up to four settings each). Equal and nearly equal texts "
        "are never on both sides. All choices follow from the seed.</p>"
        f"<pre>{escape(lines)}</pre>"
        f"<p>Instruction of the prompted methods:</p><pre>{escape(result.data.task.told)}</pre>"
    )


def _curve_caption(result: "Comparison", advice: Advice) -> str:
    names = [advice.method] if advice.method else list(advice.tied[:1])
    lines = []
    for name in names:
        sure = [c for c in crossings(result, name) if c.low is not None and c.high is not None]
        lines += [
            f"{METHODS[cross.above].title} overtakes {METHODS[cross.below].title} at about "
            f"{cross.labels:.0f} labels (surely behind with {cross.low}, ahead with {cross.high})"
            for cross in sure[:3]
        ]
    return "; ".join(lines) or "Score by number of labels, with 95 % intervals."


# figures


def _both(result: "Comparison", what: str) -> str:
    """A figure for light pages and one for dark ones."""
    from course.plots.comparison import score_by_cost

    titles = {name: METHODS[name].title for name in result.names}
    levers = {name: METHODS[name].lever for name in result.names}
    drawn = []
    for dark in (False, True):
        if what == "curve":
            figure = result.plot(dark)
        else:
            figure = score_by_cost(result.table(), titles, levers, result.data.task.measure, dark)
        drawn.append(f'<div class="{"dark" if dark else "light"}">{svg(figure)}</div>')
    return "".join(drawn)


def svg(figure: "Figure") -> str:
    """A figure as SVG inside a page: text stays text, no date, no reference to another file."""
    import matplotlib.pyplot as plt

    with plt.rc_context({"svg.fonttype": "none", "svg.hashsalt": "course"}):
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    plt.close(figure)
    text = out.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    return re.sub(r' xmlns:?\w*="[^"]*"', "", text)


def _figure(drawn: str, caption: str) -> str:
    return f"<figure>{drawn}<figcaption>{escape(caption)}</figcaption></figure>"
