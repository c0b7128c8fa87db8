"""Scoring many continuations: ``course.lm`` beside ``lm-eval``'s ``HFLM``, in one process, on the
same requests.

``python benchmarks/scoring.py``. Every line is a workload: the best time of each over several
rounds that take turns, their ratio, and the largest difference of the log-probabilities (nats).
HFLM runs with the fastest of several batch sizes.
"""

import argparse
import logging
import os
import time
from dataclasses import dataclass, replace

os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")

import numpy as np
import torch
from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM
from subjects import subject

from course.foundation.rng import Rng
from course.lm.language_model import LanguageModel
from course.world.vocabulary import SPECIAL_TOKENS, vocabulary

BATCH_SIZES = (16, 64, 200)


@dataclass(frozen=True)
class Workload:
    """``queries`` of ``query_tokens`` tokens after the same ``shared`` tokens, each with ``labels``
    of ``label_tokens`` tokens.
    """

    name: str
    shared: int = 224
    queries: int = 200
    query_tokens: int = 12
    labels: int = 4
    label_tokens: int = 1

    def requests(self) -> list[tuple[str, str]]:
        """(prompt, continuation) texts, in random order."""
        rng = Rng(f"scoring/{self}")
        words = [w for w in vocabulary() if w not in SPECIAL_TOKENS and w.isalpha()]

        def text(count: int) -> str:
            return " ".join(rng.choice(words) for _ in range(count))

        shown = text(self.shared)
        labels = [" " + text(self.label_tokens) for _ in range(self.labels)]
        prompts = [f"{shown} {text(self.query_tokens)}".strip() for _ in range(self.queries)]
        made = [(prompt, label) for prompt in prompts for label in labels]
        return rng.sample(made, len(made))


BASE = Workload("224 shared, 200 queries, 4 labels")
WORKLOADS = {
    "goals": (BASE, replace(BASE, name="... labels of two tokens", label_tokens=2)),
    "where sharing does not pay": (
        Workload("short prompts, one label", shared=0, queries=400, query_tokens=10, labels=1),
        Workload(
            "long prompts that share nothing", shared=0, queries=40, query_tokens=200, labels=1
        ),
        Workload("one prompt, one label", queries=1, labels=1),
    ),
    "by tokens of demonstrations": tuple(
        replace(BASE, name=f"{n} shared", shared=n) for n in (28, 56, 112, 224)
    ),
    "by queries": tuple(replace(BASE, name=f"{n} queries", queries=n) for n in (10, 50, 200, 800)),
    "by labels": tuple(replace(BASE, name=f"{n} labels", labels=n) for n in (2, 4, 8, 16)),
}


def peer(model: LanguageModel, batch_size: int) -> HFLM:
    logging.getLogger("lm_eval").setLevel(logging.ERROR)
    return HFLM(
        pretrained=model.model,
        tokenizer=model.tokenizer,
        batch_size=batch_size,
        add_bos_token=True,
        device="cpu",
    )


def ask(judge: HFLM, requests: list[tuple[str, str]]) -> np.ndarray:
    instances = [Instance("loglikelihood", {}, pair, i) for i, pair in enumerate(requests)]
    return np.array([value for value, _ in judge.loglikelihood(instances, disable_tqdm=True)])


def seconds(work) -> tuple[float, np.ndarray]:
    started = time.perf_counter()
    found = work()
    return time.perf_counter() - started, found


def measure(model: LanguageModel, judges: dict[int, HFLM], workload: Workload, rounds: int) -> str:
    requests = workload.requests()
    prompts, continuations = zip(*requests, strict=True)
    ours, theirs = [], {size: [] for size in judges}
    for _ in range(rounds):  # they take turns, so that a busy moment of the machine meets all
        taken, found = seconds(lambda: model.score(prompts, continuations))
        ours.append(taken)
        for size, judge in judges.items():
            taken, expected = seconds(lambda judge=judge: ask(judge, requests))
            theirs[size].append(taken)
    best = {size: min(times) for size, times in theirs.items()}
    size = min(best, key=best.get)
    difference = np.abs(found - expected).max()
    return (
        f"{workload.name:36}{min(ours):10.3f}{best[size]:10.3f}{size:7}"
        f"{best[size] / min(ours):8.1f}x{difference:12.1e}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="gpt-large")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=WORKLOADS, nargs="*", default=list(WORKLOADS))
    chosen = parser.parse_args()
    model = subject(chosen.model)
    judges = {size: peer(model, size) for size in BATCH_SIZES}
    print(f"{chosen.model}, {torch.get_num_threads()} threads, best of {chosen.rounds}")
    for title in chosen.only:
        print(
            f"\n{title:36}{'course s':>10}{'lm-eval s':>10}"
            f"{'batch':>7}{'ratio':>9}{'difference':>12}"
        )
        for workload in WORKLOADS[title]:
            print(measure(model, judges, workload, chosen.rounds), flush=True)


if __name__ == "__main__":
    main()
