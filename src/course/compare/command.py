"""The command ``course compare``: which method for this table, and at what cost?"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from course.compare.reading import read_table
from course.foundation.installed import check

if TYPE_CHECKING:
    from course.compare.job import Job
    from course.compare.result import Comparison


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="Compare prompting, fine-tuning and controls on a table of your own.",
        epilog="Nothing leaves this machine unless --served names a model elsewhere.",
    )
    parser.add_argument("table", help="CSV, TSV, JSON lines, Parquet or CoNLL file")
    parser.add_argument(
        "--text",
        action="append",
        required=True,
        metavar="COLUMN",
        help="column that is read; twice for a pair of texts",
    )
    parser.add_argument("--label", required=True, metavar="COLUMN", help="column that is answered")
    parser.add_argument("--template", help='how several columns become one text: "{title}: {body}"')
    parser.add_argument(
        "--kind",
        choices=("labels", "answers", "tags"),
        help="of the answers (default: as the column looks)",
    )
    parser.add_argument("--instruction", default="", help="what a prompted model is told")
    parser.add_argument("--test", metavar="FILE", help="a table of its own to test on")
    parser.add_argument(
        "--methods",
        help="names, such as lora,few-shot (default: a screen, then the others); 'list' lists",
    )
    parser.add_argument(
        "--model", help="tiny, index, hub, the folder of a checkpoint, or a repository of the hub"
    )
    parser.add_argument("--encoder", help="another model under heads")
    parser.add_argument(
        "--precision",
        choices=("fp32", "bf16"),
        help="of prompting and training: bf16 is several times as fast where the processor has it",
    )
    parser.add_argument(
        "--budget", default="10m", help="time in all, such as 90s, 10m, 2h, or none (default 10m)"
    )
    parser.add_argument(
        "--seeds", type=int, default=3, help="repetitions of what chance has a part in"
    )
    parser.add_argument("--sizes", help="numbers of labels of the curves, with commas between them")
    parser.add_argument("--most-test", type=int, default=500, help="test items at most")
    parser.add_argument(
        "--out",
        default="report",
        help="folder of the report; a run that was stopped goes on from it",
    )
    parser.add_argument("--dry-run", action="store_true", help="say what it would cost, and stop")
    parser.add_argument("--encoding", help="of the file (default: UTF-8)")
    parser.add_argument(
        "--delimiter", help="between the values of a line (default: as the first line shows)"
    )
    parser.add_argument(
        "--columns", help="names with commas between them, for a file whose first line is data"
    )
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--backend", choices=("joblib", "ray"), default="joblib")
    parser.add_argument("--address", help="of a Ray cluster ('auto': the one of this machine)")
    parser.add_argument(
        "--served", metavar="URL", help="an OpenAI-compatible endpoint; texts are sent to it"
    )
    parser.add_argument("--served-model", metavar="NAME")
    parser.add_argument(
        "--completions",
        action="store_true",
        help="ask the endpoint for plain completions, not by chat",
    )
    parser.add_argument(
        "--price", help="of the endpoint, for a million tokens read and written, such as 0.15/0.60"
    )
    parser.add_argument(
        "--allow-personal", action="store_true", help="send texts that look like personal data, too"
    )
    return parser  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command; what is wrong with its arguments or the table ends it with one line."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if "--methods" in given and given[given.index("--methods") + 1 :][:1] == ["list"]:
        return _list_methods()
    chosen = _parser().parse_args(given)
    from course.models.hub import HubError

    try:
        _run(chosen)
    except (ValueError, OSError, ImportError, HubError) as error:
        raise SystemExit(f"course compare: {error}") from None
    except KeyboardInterrupt:
        kept = "" if chosen.dry_run else f"; what was measured is kept in {chosen.out}"
        print(f"course compare: stopped{kept}: the same command goes on", file=sys.stderr)
        raise SystemExit(130) from None


def _list_methods() -> None:
    from course.compare.registry import METHODS

    for method in METHODS.values():
        print(f"{method.name:20} {method.title}\n    needs {method.needs}\n    {method.cost}")


def _run(chosen: argparse.Namespace) -> None:
    # a wrong file is told before torch is loaded
    table = read_table(chosen.table, chosen.encoding, chosen.delimiter, _names(chosen.columns))
    for name in chosen.text:
        table.column(name)
    table.column(chosen.label, "label")
    tests = read_table(chosen.test, chosen.encoding, chosen.delimiter) if chosen.test else None
    check()
    from course.compare.job import RunSettings, prepared_job
    from course.compare.plan import seconds_of
    from course.compare.running import compare

    sizes = _sizes(chosen.sizes)
    budget = None if chosen.budget == "none" else seconds_of(chosen.budget)
    settings = {
        "seeds": chosen.seeds, "sizes": sizes, "most_test": chosen.most_test, "jobs": chosen.jobs,
        "backend": chosen.backend, "address": chosen.address,
        "allow_personal": chosen.allow_personal, "precision": chosen.precision,
    }  # fmt: skip
    text = chosen.text[0] if len(chosen.text) == 1 else chosen.text
    if chosen.dry_run:
        job = prepared_job(
            table, text, chosen.label, chosen.methods, chosen.model, chosen.encoder, chosen.kind,
            chosen.template, chosen.instruction, tests, RunSettings(budget, **settings),
            served=_served(chosen), say=_say,
        )  # fmt: skip
        return _print_estimates(job)
    result = compare(
        table, text, chosen.label, methods=chosen.methods, model=chosen.model,
        encoder=chosen.encoder,
        kind=chosen.kind, template=chosen.template, instruction=chosen.instruction, test=tests,
        budget=budget, out=chosen.out, served=_served(chosen), say=_say, **settings,
    )  # fmt: skip
    result.save(chosen.out)
    print(_short_table(result))
    for sentence in result.best().sentences:
        print(sentence)
    if result.first_seconds is not None:
        print(f"First answer after {result.first_seconds:.0f} s, all after {result.seconds:.0f} s.")
    print(f"The report: {Path(chosen.out) / 'report.html'}")


def _short_table(result: "Comparison") -> str:
    """The best method first: score with its interval, and what it costs."""
    table, measure = result.table(), result.data.task.measure
    rows = [
        (
            str(name),
            f"{row[measure]:.1f} [{row['low']:.1f}, {row['high']:.1f}]",
            f"{row['labels']:,}",
            f"{row['learn s']:.1f}",
            f"{row['ms a query']:.1f}",
        )
        for name, row in table.iterrows()
    ]
    return _aligned([("method", f"{measure} %", "labels", "learning s", "ms an answer"), *rows])


def _aligned(lines: Sequence[Sequence[str]]) -> str:
    """Lines of cells below each other."""
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _names(text: str | None) -> list[str] | None:
    return None if text is None else [name.strip() for name in text.split(",")]


def _sizes(text: str | None) -> tuple[int, ...] | None:
    try:
        return None if text is None else tuple(int(size) for size in text.split(","))
    except ValueError:
        raise ValueError(f"--sizes {text!r}: expected numbers of labels such as 8,32,128") from None


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _served(chosen: argparse.Namespace):  # type: ignore[no-untyped-def]
    if chosen.served is None:
        return None
    from course.compare.bodies import Served

    if not chosen.served_model:
        raise ValueError("--served without a model: name one with --served-model")
    return Served(
        chosen.served_model, chosen.served, not chosen.completions, *_prices(chosen.price)
    )


def _prices(text: str | None) -> tuple[float | None, float | None]:
    """Of a million tokens read, and written."""
    if text is None:
        return None, None
    try:
        read, written = map(float, text.split("/"))
    except ValueError:
        raise ValueError(f"--price {text!r}: expected two prices such as 0.15/0.60") from None
    return read, written


def _print_estimates(job: "Job") -> None:
    """The table of ``--dry-run``: each method once on all labels, with all test items answered."""
    from course.compare.job import estimates_table, not_estimated

    rows, items = estimates_table(job), len(job.data.test)
    print(
        f"Each method once on all labels, choosing its setting, with {items} test items answered:"
    )
    head = list(rows[0])
    cells = [[_amount(row[name], "money" in name) for name in head] for row in rows]
    print(_aligned([head, *cells]))
    for name, why in job.obstacles.items():
        print(f"{name}: {why}")
    print("\n".join(not_estimated(job)))


def _amount(value: object, money: bool = False) -> str:
    """A cell of the table; money to a hundredth of a cent, and a line for what costs none."""
    if money:
        return "-" if value is None else f"{value:.4f}"
    if isinstance(value, float):
        return f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


if __name__ == "__main__":
    main()
