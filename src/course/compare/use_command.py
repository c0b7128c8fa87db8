"""The command ``course use``: answer new rows with what a comparison has learned."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from course.compare.reading import decoded, parsed, read_table
from course.compare.table import Table
from course.lm.openai_responses import EndpointError

#: Endings of files -> the ending by whose format their rows are written again.
_ALIKE = {".iob": ".conll", ".bio": ".conll"}


def main(arguments: Sequence[str] | None = None) -> None:
    """Reads rows from a file or the standard input and writes them with their answers."""
    parser = argparse.ArgumentParser(
        description="Answer new rows with what 'course compare' has learned."
    )
    parser.add_argument("report", help="folder of a report")
    parser.add_argument(
        "rows", nargs="?", help="a file, as 'compare' reads it (default: the standard input)"
    )
    parser.add_argument(
        "--method", help="of those that the report has kept (default: the recommended one)"
    )
    parser.add_argument(
        "--format",
        choices=("csv", "tsv", "jsonl", "conll"),
        help="of the rows on the standard input (default: csv; a file's name says its own)",
    )
    parser.add_argument("--encoding", help="of the rows (default: UTF-8)")
    parser.add_argument(
        "--delimiter", help="between the values of a line (default: as the first line shows)"
    )
    chosen = parser.parse_args(sys.argv[1:] if arguments is None else arguments)  # fmt: skip
    try:
        _run(chosen)
    except (ValueError, OSError, EndpointError) as error:
        raise SystemExit(f"course use: {error}") from None


def _run(chosen: argparse.Namespace) -> None:
    table, suffix = _rows(chosen)
    from course.compare.using import as_text, load_learned, use, with_answers

    task, predictor = load_learned(Path(chosen.report), chosen.method)
    columns, rows = with_answers(table, task, use(table, task, predictor))
    out = as_text(columns, rows, suffix, table.delimiter)
    sys.stdout.buffer.write(out.encode())


def _rows(chosen: argparse.Namespace) -> tuple[Table, str]:
    """The rows, and the ending of a file in the format in which they are written."""
    if chosen.rows is not None:
        if chosen.format:
            raise ValueError(
                f"--format {chosen.format} with the file {chosen.rows}: expected one of the two; "
                "the name of a file says its format"
            )
        suffix = Path(chosen.rows).suffix.lower()
        table = read_table(chosen.rows, chosen.encoding, chosen.delimiter)
        return table, _ALIKE.get(suffix, suffix)
    suffix = f".{chosen.format or 'csv'}"
    text = decoded(sys.stdin.buffer.read(), chosen.encoding, "the standard input")
    return parsed(text, suffix, "the standard input", chosen.delimiter), suffix


if __name__ == "__main__":
    main()
