"""Real data sets in their files' formats, with a few made-up rows."""

import json
from pathlib import Path

CONLL = "Paris\tB-location\nis\tO\n\nAnn\tB-person\nLee\tI-person\n\t\n\nno\tO\n"


def _article(number: int) -> dict:
    context = f"Paragraph {number} names Genoa."
    answer = {"text": "Genoa", "answer_start": context.index("Genoa")}
    asked = {"id": f"q{number}", "question": "Which town?", "answers": [answer]}
    return {"paragraphs": [{"context": context, "qas": [asked]}]}


def write_induction(folder: Path, name: str, examples: list[dict]) -> Path:
    """A task of instruction induction with two wordings."""
    for kind, data in (
        ("annotations", {"annotations": ["do it", "do it ", "please do it"]}),
        ("execute", {"examples": {str(i): row for i, row in enumerate(examples)}}),
    ):
        (folder / kind).mkdir(exist_ok=True)
        (folder / kind / f"{name}.json").write_text(json.dumps(data), encoding="utf-8")
    return folder


def write_toy_data(folder: Path) -> None:
    """Every data set of the index tier below a folder."""
    pairs = [
        {"premise": f"A dog {i}.", "hypothesis": "It runs.", "label": label}
        for i, label in enumerate(["entailment", "neutral", "contradiction"] * 10)
    ]
    problems = [
        {"question": f"{i} and {i}?", "answer": f"{i}+{i}=<<{i}+{i}={2 * i}>>{2 * i}\n#### {2 * i}"}
        for i in range(1, 1200)
    ]
    snippets = [f"{i}\t{rating}\tfilm {i}" for i, rating in enumerate([-2, 0.1, 3.5, 0.5] * 60)]
    files = {
        "sentiment/movie-snippets.tsv": "\n".join(snippets) + "\n",
        "snli/dev.jsonl": "\n".join(map(json.dumps, pairs)),
        "snli/test.jsonl": "\n".join(map(json.dumps, pairs[:6])),
        "wnut17/dev.conll": CONLL * 5,
        "wnut17/test.conll": CONLL,
        "xquad/en.json": json.dumps({"data": [_article(i) for i in range(48)]}),
        "gsm8k/test.jsonl": "\n".join(map(json.dumps, problems)),
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
