"""Data sets in the schemas, folders and cards of the real ones: a few rows made up for the test,
and GSM8K's own where they are at hand.
"""

import io
import json
from pathlib import Path

from datasets import ClassLabel, Dataset, Features, Sequence, Value

_GSM8K = Path(__file__).parents[3] / "shared" / "data" / "gsm8k" / "test.jsonl"
TAGS = ("O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC", "B-MISC", "I-MISC")


def _parquet(rows: list[dict], features: Features) -> bytes:
    written = io.BytesIO()
    Dataset.from_list(rows, features=features).to_parquet(written)
    return written.getvalue()


def card(config: str, folder: str, splits: tuple[str, ...]) -> bytes:
    """A card that says where the tables of a configuration lie."""
    files = "".join(f"  - split: {split}\n    path: {folder}/{split}-*\n" for split in splits)
    return (
        f"---\nconfigs:\n- config_name: {config}\n  data_files:\n{files}---\n\n# A card\n".encode()
    )


def _repository(
    config: str, folder: str, parts: dict[str, list[dict]], features: Features
) -> dict[str, bytes]:
    files = {
        f"{folder}/{split}-00000-of-00001.parquet": _parquet(rows, features)
        for split, rows in parts.items()
    }
    return files | {
        "README.md": card(config, folder, tuple(parts)),
        ".gitattributes": b"*.parquet filter=lfs\n",
    }


def sst2(names: tuple[str, str] = ("negative", "positive"), train: int = 60) -> dict[str, bytes]:
    """Labelled training and validation splits; the labels of the test split are kept back (-1)."""
    features = Features(
        {"idx": Value("int32"), "sentence": Value("string"), "label": ClassLabel(names=list(names))}
    )

    def rows(split: str, count: int) -> list[dict]:
        words = ("a dull film", "a lovely film")
        return [
            {
                "idx": i,
                "sentence": f"{words[i % 2]} , {split} {i}",
                "label": -1 if split == "test" else i % 2,
            }
            for i in range(count)
        ]

    return _repository(
        "default",
        "data",
        {
            "train": rows("train", train),
            "validation": rows("validation", 20),
            "test": rows("test", 20),
        },
        features,
    )


def ultrafeedback() -> dict[str, bytes]:
    """Preferences between conversations, as the binarized UltraFeedback has them; one row has the
    same reply twice.
    """
    message = {"content": Value("string"), "role": Value("string")}
    features = Features(
        {
            "prompt": Value("string"),
            "prompt_id": Value("string"),
            "chosen": [message],
            "rejected": [message],
            "score_chosen": Value("float64"),
            "score_rejected": Value("float64"),
        }
    )

    def conversation(prompt: str, reply: str) -> list[dict]:
        return [{"content": prompt, "role": "user"}, {"content": reply, "role": "assistant"}]

    rows = [
        {
            "prompt": prompt,
            "prompt_id": str(i),
            "chosen": conversation(prompt, "Paris ."),
            "rejected": conversation(prompt, "Paris ." if i == 3 else "young : old"),
            "score_chosen": 8.0,
            "score_rejected": 8.0 if i == 3 else 2.0,
        }
        for i in range(8)
        for prompt in [f"The capital of France , {i} ?"]
    ]
    return _repository("default", "data", {"train_prefs": rows, "test_prefs": rows[:2]}, features)


def snli(train: int = 16) -> dict[str, bytes]:
    """Every fourth pair has no label (-1): its annotators did not agree."""
    names = ["entailment", "neutral", "contradiction"]
    features = Features(
        {
            "premise": Value("string"),
            "hypothesis": Value("string"),
            "label": ClassLabel(names=names),
        }
    )

    def rows(split: str, count: int) -> list[dict]:
        claims = ("A dog is outside.", "The dog is old.", "The dog sleeps.", "The dog is Rex.")
        return [
            {
                "premise": f"A dog runs over the grass, {split} {i}.",
                "hypothesis": claims[i % 4],
                "label": (0, 1, 2, -1)[i % 4],
            }
            for i in range(count)
        ]

    counts = {"train": train, "validation": 16, "test": 16}
    return _repository(
        "plain_text",
        "plain_text",
        {split: rows(split, count) for split, count in counts.items()},
        features,
    )


def conll2003(train: int = 8) -> dict[str, bytes]:
    """As an old upload: no card but ``dataset_infos.json``, and two columns more than are asked
    for.
    """
    tags = Sequence(ClassLabel(names=list(TAGS)))
    features = Features(
        {
            "id": Value("string"),
            "tokens": Sequence(Value("string")),
            "pos_tags": Sequence(Value("int64")),
            "chunk_tags": Sequence(Value("int64")),
            "ner_tags": tags,
        }
    )

    def rows(split: str, count: int) -> list[dict]:
        tokens = ["Peter", "Blackburn", "left", "Brussels", split, "."]
        return [
            {
                "id": str(i),
                "tokens": tokens,
                "pos_tags": [0] * 6,
                "chunk_tags": [0] * 6,
                "ner_tags": [1, 2, 0, 5, 0, 0],
            }
            for i in range(count)
        ]

    parts = {
        split: rows(split, count)
        for split, count in {"train": train, "validation": 8, "test": 8}.items()
    }
    files = {
        f"data/{split}-00000-of-00001.parquet": _parquet(found, features)
        for split, found in parts.items()
    }
    return files | {
        "dataset_infos.json": json.dumps(
            {"lhoestq--conll2003": {"features": features.to_dict()}}
        ).encode()
    }


def squad(train: int = 40) -> dict[str, bytes]:
    """Training and validation splits alone; the test split was never published."""
    answers = {"text": Sequence(Value("string")), "answer_start": Sequence(Value("int32"))}
    features = Features(
        {
            "id": Value("string"),
            "title": Value("string"),
            "context": Value("string"),
            "question": Value("string"),
            "answers": answers,
        }
    )

    def rows(split: str, count: int) -> list[dict]:
        made = []
        for i in range(count):
            thing, place = (("ship", "Genoa"), ("coach", "Lisbon"), ("train", "Odessa"))[i % 3]
            context = f"In {split} number {i} the {thing} came from {place} to Malta."
            answer = {"text": [place], "answer_start": [context.index(place)]}
            question = f"Where did the {thing} start?"
            made.append(
                {
                    "id": f"{split}{i}",
                    "title": "Ways",
                    "context": context,
                    "question": question,
                    "answers": answer,
                }
            )
        return made

    return _repository(
        "plain_text",
        "plain_text",
        {"train": rows("train", train), "validation": rows("validation", 10)},
        features,
    )


def gsm8k() -> dict[str, bytes]:
    """Training rows made up, and as the test split the real one where it is at hand."""
    made = [
        {"question": f"Ann has {i} eggs and buys {i} more. How many has she?",
         "answer": f"She has {i}+{i}=<<{i}+{i}={2 * i}>>{2 * i} eggs.\n#### {2 * i}"}
        for i in range(1, 41)
    ]  # fmt: skip
    real = (
        [json.loads(line) for line in _GSM8K.read_text(encoding="utf-8").splitlines()]
        if _GSM8K.exists()
        else made[30:]
    )
    features = Features({"question": Value("string"), "answer": Value("string")})
    main = _repository("main", "main", {"train": made[:30], "test": real}, features)
    other = _repository("socratic", "socratic", {"train": made[:3], "test": made[3:6]}, features)
    card = main["README.md"].decode().removesuffix("---\n\n# A card\n") + other[
        "README.md"
    ].decode().removeprefix("---\nconfigs:\n")
    return other | main | {"README.md": card.encode()}


#: Repository -> its files.
TABLES = {
    "stanfordnlp/sst2": sst2,
    "stanfordnlp/snli": snli,
    "lhoestq/conll2003": conll2003,
    "rajpurkar/squad": squad,
    "openai/gsm8k": gsm8k,
}
