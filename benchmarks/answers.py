"""Reading answers: ``course.tasks.answer_parsing`` beside ``math-verify`` 0.9.0, on the table of
cases of the tests and on GSM8K.

``python benchmarks/answers.py --data FOLDER`` (or ``COURSE_DATA``), where
``FOLDER/gsm8k/test.jsonl`` is the test split of GSM8K (Cobbe et al. 2021). A line is a set of
texts: how many each reads right, how many as a wrong number, how many it leaves without a number
though there is one. Where a text gives no answer, right is to give none. math-verify is asked as
its page says: ``verify(parse(reference), parse(text))``.

The cases were written together with this parser, and math-verify is made for answers in LaTeX and
keeps several ("5 and 7") as a set, so those lines tell what each does and not which is better in
general. GSM8K belongs to neither.
"""

import argparse
import json
import logging
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

from math_verify import parse, verify

from course.tasks.answer_parsing import parse_answer

CASES = Path(__file__).parents[1] / "tests" / "answer_cases.json"
#: How GSM8K's references are announced.
FORMATS: dict[str, Callable[[str, str], str]] = {
    "solution with ####": lambda body, stated: f"{body}#### {stated}",
    "solution, the answer is": lambda body, stated: f"{body}The answer is {stated}.",
    "solution, boxed": lambda body, stated: f"{body}$\\boxed{{{stated}}}$",
    "solution, last number": lambda body, stated: body + stated,
}


def sets(data: Path | None) -> Iterator[tuple[str, list[tuple[str, Fraction | None]]]]:
    """(name, texts with what they give) for every line of the table."""
    cases = json.loads(CASES.read_text(encoding="utf-8"))
    for group, name in (
        ("issue", "cases, the usual ways to write"),
        ("more", "cases, adversarial sentences"),
    ):
        chosen = [
            (text, None if value is None else Fraction(value))
            for of, text, value in cases
            if of == group
        ]
        yield f"{name}, a number", [case for case in chosen if case[1] is not None]
        yield f"{name}, no answer", [case for case in chosen if case[1] is None]
    if data is None:
        print("GSM8K is left out: pass --data or set COURSE_DATA")
        return
    rows = [
        json.loads(line)["answer"].split("#### ")
        for line in (data / "gsm8k" / "test.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    for name, write in FORMATS.items():
        yield (
            f"GSM8K, {name}",
            [(write(body, stated), Fraction(stated.replace(",", ""))) for body, stated in rows],
        )


def course(text: str, value: Fraction | None) -> str:
    found = parse_answer(text).value
    return "right" if found == value else "none" if found is None else "wrong"


def math_verify(text: str, value: Fraction | None) -> str:
    found = parse(text)
    numbers = [part for part in found if getattr(part, "is_number", False)]
    if value is None:
        return "wrong" if numbers else "right"
    if verify(parse(f"${value}$"), found):
        return "right"
    return "wrong" if numbers else "none"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--data",
        type=Path,
        default=os.environ.get("COURSE_DATA"),
        help="folder that holds gsm8k/test.jsonl",
    )
    data = parser.parse_args().data
    logging.disable(logging.ERROR)  # math-verify reports what it cannot parse
    print(
        f"{'':46}{'texts':>6}   {'course: right wrong none  ms':<30} "
        f"{'math-verify: right wrong none  ms'}"
    )
    for name, texts in sets(Path(data) if data else None):
        columns = []
        for judge in (course, math_verify):
            start = time.perf_counter()
            counts = Counter(judge(*case) for case in texts)
            each = 1000 * (time.perf_counter() - start) / len(texts)
            columns.append(
                f"{counts['right']:6} {counts['wrong']:5} {counts['none']:4} {each:7.2f}"
            )
        print(f"{name:46}{len(texts):6}   {columns[0]:<30} {columns[1]}")


if __name__ == "__main__":
    main()
