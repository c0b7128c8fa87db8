"""Tokenizing pairs of prompt and continuation: what it gains to tokenize shared text once.

``python benchmarks/tokenization.py``. Every line is a workload: the best time of several rounds
that take turns, in milliseconds, of three ways that give the same ids.

- course: beginnings that neighbours in alphabetical order share are tokenized once; of a pair only
  the last word of the prompt with its continuation, each distinct one once.
- in full: every prompt and every prompt with its continuation, in one batched call each.
- beginnings: as the course, but every prompt with its continuation from the shared beginning on.
"""

import argparse
import time
from collections.abc import Iterable
from dataclasses import dataclass

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast

from course.foundation.rng import Rng
from course.lm.tokenization import Encoder
from course.models.loading import load_tokenizer
from course.world.vocabulary import SPECIAL_TOKENS, vocabulary


class Beginnings(Encoder):
    """Every text as a whole, shared beginnings once."""

    def _whole_ids(self, pairs: list[tuple[str | None, list[int], str]]) -> list[list[int]]:
        wholes = [f"{framed}{continuation}" for framed, _, continuation in pairs]
        known = self._all(wholes)
        return [known[whole] for whole in wholes]


class InFull(Beginnings):
    """Every text as a whole, in batches."""

    def _all(self, texts: Iterable[str | None]) -> dict[str, list[int]]:
        distinct = list({text for text in texts if text is not None})
        return dict(zip(distinct, self._ids(distinct), strict=True))


WAYS = {"course": Encoder, "in full": InFull, "beginnings": Beginnings}


@dataclass(frozen=True)
class Workload:
    """``queries`` of ``query`` words after the same ``shared`` words, each with ``labels`` of
    ``label`` words.
    """

    name: str
    shared: int = 224
    queries: int = 200
    query: int = 12
    labels: int = 4
    label: int = 1

    def pairs(self) -> tuple[list[str], list[str]]:
        """Prompts and continuations."""
        rng = Rng(f"tokenization/{self}")
        words = [w for w in vocabulary() if w not in SPECIAL_TOKENS and w.isalpha()]

        def text(count: int) -> str:
            return " ".join(rng.choice(words) for _ in range(count))

        shared = text(self.shared)
        labels = [" " + text(self.label) for _ in range(self.labels)]
        prompts = [f"{shared} {text(self.query)}".strip() for _ in range(self.queries)]
        return [p for p in prompts for _ in labels], labels * len(prompts)


WORKLOADS = (
    Workload("224 shared, 200 queries, 4 labels"),
    Workload("... 2,000 queries", queries=2000),
    Workload("... labels of 20 words", label=20),
    Workload("2,000 shared, 200 queries, 4 labels", shared=2000),
    Workload("8 shared, 200 queries, 4 labels", shared=8),
    Workload("nothing shared, 224 words", shared=0, query=224),
    Workload("one query, 400 labels", queries=1, labels=400),
)


def byte_level_bpe() -> PreTrainedTokenizerBase:
    """A byte-level BPE tokenizer of 4,000 tokens, as GPT-2's, trained on the workloads' texts."""
    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=4000, special_tokens=["<|end|>"], initial_alphabet=alphabet, show_progress=False
    )
    core.train_from_iterator(WORKLOADS[0].pairs()[0], trainer)
    return PreTrainedTokenizerFast(tokenizer_object=core, bos_token="<|end|>", eos_token="<|end|>")


def measure(tokenizer: PreTrainedTokenizerBase, workload: Workload, rounds: int) -> str:
    prompts, continuations = workload.pairs()
    best = dict.fromkeys(WAYS, float("inf"))
    found = {}
    for _ in range(rounds):
        for name, way in WAYS.items():
            encoder, start = way(tokenizer, chat=False, unknown="allow"), time.perf_counter()
            found[name] = encoder.pairs(prompts, continuations)
            best[name] = min(best[name], time.perf_counter() - start)
    same = all(ids == found["course"] for ids in found.values())
    times = "".join(f"{1000 * seconds:14.1f}" for seconds in best.values())
    ratios = "".join(f"{best[name] / best['course']:10.2f}x" for name in ("in full", "beginnings"))
    return f"{workload.name:36}{times}{ratios}{'equal' if same else 'DIFFERENT':>11}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    print(f"one thread, best of {rounds} rounds in turns; ratios to the course")
    for name, tokenizer in {
        "words (gpt-large)": load_tokenizer("gpt-large", "tiny"),
        "byte-level BPE": byte_level_bpe(),
    }.items():
        titles = "".join(f"{way + ' ms':>14}" for way in WAYS)
        print(f"\n{name:36}{titles}{'in full':>11}{'beginnings':>11}{'ids':>11}")
        for workload in WORKLOADS:
            print(measure(tokenizer, workload, rounds), flush=True)


if __name__ == "__main__":
    main()
