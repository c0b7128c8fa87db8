"""The command ``course use``: answer new rows with what a comparison has learned."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from course.compare.reading import decoded, parsed


def main(arguments: Sequence[str] | None = None) -> None:
    """Reads rows from the standard input (or a file) and writes them with their answers."""
    parser = argparse.ArgumentParser(
        description="Answer new rows with what 'course compare' has learned."
    )
    parser.add_argument("report", help="folder of a report")
    parser.add_argument(
        "--method", help="of those that the report has kept (default: the recommended one)"
    )
    parser.add_argument(
        "--format", choices=("csv", "tsv", "jsonl", "conll"), default="csv", help="of the rows"
    )
    parser.add_argument("--encoding", help="of the rows (default: UTF-8)")
    parser.add_argument(
        "--delimiter", help="between the values of a line (default: as the first line shows)"
    )
    chosen = parser.parse_args(sys.argv[1:] if arguments is None else arguments)  # fmt: skip
    try:
        _run(chosen)
    except (ValueError, OSError) as error:
        raise SystemExit(f"course use: {error}") from None


def _run(chosen: argparse.Namespace) -> None:
    suffix = f".{chosen.format}"
    text = decoded(sys.stdin.buffer.read(), chosen.encoding, "the standard input")
    table = parsed(text, suffix, "the standard input", chosen.delimiter)
    from course.compare.using import as_text, load_learned, use, with_answers

    task, predictor = load_learned(Path(chosen.report), chosen.method)
    columns, rows = with_answers(table, task, use(table, task, predictor))
    out = as_text(columns, rows, suffix, table.delimiter)
    sys.stdout.buffer.write(out.encode())


if __name__ == "__main__":
    main()
