"""A real model, SmolLM2-135M of the tier ``index``: scoring beside ``lm-eval``, sampling beside
``generate`` and ``llama.cpp``, LoRA training beside ``peft`` with ``Trainer``, in one run.

``python benchmarks/real_model.py [--part scoring precision sampling training] [--queries N]``.
Every line has the best time of several rounds that take turns, the memory that the process took on
top while it ran (its highest, in MB, sampled), and how far the results agree. The goals: scoring (8
shared demonstrations, 200 queries, 2 labels) 10 times as fast as lm-eval, 16 samples of 64 tokens
after 256 three times as fast as ``generate``, LoRA 1.5 times the tokens a second of ``Trainer`` at
no worse a loss. The part ``precision`` scores the same queries in single precision and in
bfloat16, with the accuracy that each has.

What the goals leave out is arithmetic that both sides must do. It was counted, and profiled on one
thread in single precision, with 60 queries. A token costs 0.21 GFLOP, with logits 0.27.

- Scoring: the 120 pairs have 23,652 tokens. lm-eval reads the 58 different contexts, 11,414 tokens,
  with logits at each of them; the course reads the 1,865 tokens of their prefix tree (167 shared,
  about 28 a query), with logits at 58. That is 7.7 times less work, 8.5 times with 200 queries and
  never 9: a factor of 10 takes longer demonstrations or shorter queries. Of the course's time 80 %
  were matrix products, at 92 GFLOP/s where a large product by itself does 102, 12 % attention, 5 %
  element-wise work, 1 % copies of the prefix cache, and a thousandth the log-softmax. Of the tokens
  that were read 8 % were padding (12 % before rows had equal lengths).
- Sampling: ``generate`` reads the prompt once for each sample, 4,096 tokens where the course reads
  256. The 63 steps after that are alike on both sides, 16 tokens through all weights (538 MB),
  which takes memory more than arithmetic: about 40 GFLOP/s, three quarters of a step; drawing the
  tokens takes 11 of its 140 milliseconds. By these figures the whole comes to 2.3 times, as was
  measured. Keys that are not repeated for the queries of a group would have saved 2 % of the first
  15 steps.

llama.cpp (``pip install llama-cpp-python``, which builds it) computes on the four-bit weights that
the wheel holds, and so another model by a little; it reads the prompt once and writes one sample
after the other.
"""

import argparse
import importlib.util
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import islice
from types import SimpleNamespace

import numpy as np
import psutil
import sampling
import scoring
import torch
import training
from datasets import Dataset

from course.adapters import adapt
from course.lm.language_model import LanguageModel, load
from course.models.devices import DTYPES
from course.models.index import SMOLLM2
from course.prompting.evaluation import questions
from course.prompting.prompts import PLAIN
from course.tasks import DataError, Task, load_task
from course.training.completion_data import completions
from course.training.fit_settings import FitSettings
from course.training.packing import IGNORED
from course.world.split import TRAIN, VALIDATION

PARTS = ("scoring", "precision", "sampling", "training")
#: What is scored behind a review.
LABELS = (" negative", " positive")
#: Seconds between two looks at the memory.
_LOOK = 0.01


@dataclass
class Cost:
    """What some work took: seconds of each round, the highest memory on top, and what it found."""

    seconds: list[float] = field(default_factory=list)
    megabytes: float = 0.0
    found: object = None

    def run(self, work: Callable[[], object]) -> None:
        with highest_memory() as memory:
            started = time.perf_counter()
            self.found = work()
            self.seconds.append(time.perf_counter() - started)
        self.megabytes = max(self.megabytes, memory.megabytes)

    def line(self, name: str, more: str = "") -> str:
        return f"  {name:28}{min(self.seconds):9.2f} s{self.megabytes:8.0f} MB  {more}"


@contextmanager
def highest_memory():
    """The highest resident memory of this process over what it had before, in MB."""
    process, stop, seen = psutil.Process(), threading.Event(), SimpleNamespace(megabytes=0.0)
    before = process.memory_info().rss

    def look() -> None:
        while not stop.wait(_LOOK):
            more = (process.memory_info().rss - before) / 1e6
            seen.megabytes = max(seen.megabytes, more)

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield seen
    finally:
        stop.set()
        watcher.join()


def sentiment() -> Task:
    """Reviews of films, or those of the micro-world where no data set is at hand."""
    try:
        return load_task("sentiment", wanted_tier="index")
    except DataError as error:
        print(f"(the micro-world's reviews instead: {error})")
        return load_task("sentiment", wanted_tier="tiny")


def labelled_prompts(queries: int) -> tuple[list[str], np.ndarray]:
    """Reviews behind the same eight demonstrations, and the place of the right one of LABELS."""
    first, *others = questions(sentiment(), 8, queries, template=PLAIN)
    shared = first.prompt.demonstrations
    asked = (first, *others)
    prompts = [replace(question.prompt, demonstrations=shared).text for question in asked]
    return prompts, np.array([LABELS.index(question.continuation) for question in asked])


def measure_scoring(model: LanguageModel, queries: int, rounds: int) -> None:
    """The two labels of many reviews behind the same eight demonstrations."""
    prompts, _ = labelled_prompts(queries)
    requests = [(prompt, label) for prompt in prompts for label in LABELS]
    judges = {size: scoring.peer(model, size) for size in scoring.BATCH_SIZES}
    costs = {name: Cost() for name in ("course", *judges)}
    for _ in range(rounds):
        costs["course"].run(lambda: model.score(*zip(*requests, strict=True)))
        for size, judge in judges.items():
            costs[size].run(lambda judge=judge: scoring.ask(judge, requests))
    size = min(judges, key=lambda size: min(costs[size].seconds))
    ours, theirs = costs["course"], costs[size]
    ratio = min(theirs.seconds) / min(ours.seconds)
    difference = np.abs(ours.found - theirs.found).max()
    print(f"scoring: 8 shared demonstrations, {len(prompts)} queries, 2 labels")
    print(ours.line("course"))
    print(theirs.line(f"lm-eval, batches of {size}", f"{ratio:.1f} times; goal 10"))
    print(f"  largest difference of a log-probability {difference:.1e} nats", flush=True)


def measure_precision(queries: int, rounds: int) -> None:
    """The same scores in single precision and in bfloat16."""
    prompts, right = labelled_prompts(queries)
    models = {name: load("gpt-middle", "index", name) for name in DTYPES}
    costs = {name: Cost() for name in models}
    for _ in range(rounds):
        for name, model in models.items():
            costs[name].run(lambda model=model: model.score_labels(prompts, LABELS))
    print(f"precision: 8 shared demonstrations, {len(prompts)} queries, 2 labels")
    for name, cost in costs.items():
        weights = sum(p.nbytes for p in models[name].model.parameters()) / 1e6
        accuracy = 100 * (cost.found.argmax(1) == right).mean()
        print(cost.line(name, f"weights of {weights:.0f} MB, {accuracy:.1f} % right"))
    exact, coarse = (costs[name].found for name in ("fp32", "bf16"))
    ratio = min(costs["fp32"].seconds) / min(costs["bf16"].seconds)
    same = 100 * (exact.argmax(1) == coarse.argmax(1)).mean()
    print(
        f"  bf16 {ratio:.1f} times as fast; {same:.1f} % of the answers are the same; largest",
        end="",
    )
    print(f" difference of a log-probability {np.abs(exact - coarse).max():.2f} nats", flush=True)


def measure_sampling(model: LanguageModel, rounds: int, n: int = 16, tokens: int = 64) -> None:
    """``n`` samples of ``tokens`` tokens after 256."""
    work = sampling.Workload(f"256 tokens, {n} samples of {tokens}", 256, n, tokens)
    endless = sampling.endless(model)
    text = english(model, work.length)
    costs = {"course": Cost(), "transformers": Cost()}
    ways = {"course": sampling.ours, "transformers": sampling.theirs}
    means: dict[str, list[np.ndarray]] = {name: [] for name in ways}
    for seed in range(rounds):
        for name, way in ways.items():
            costs[name].run(lambda way=way, seed=seed: way(endless, [text], work, seed))
            means[name].append(costs[name].found)
    ours, theirs = costs["course"], costs["transformers"]
    ratio = min(theirs.seconds) / min(ours.seconds)
    print(f"sampling: {work.name}")
    print(ours.line("course"))
    print(theirs.line("generate", f"{ratio:.1f} times; goal 3"))
    first, second = (np.concatenate(means[name]) for name in ways)
    error = 2 * (first.var() / len(first) + second.var() / len(second)) ** 0.5
    equal = "equal" if sampling.same_greedy(endless, [text], work) else "DIFFERENT"
    difference = first.mean() - second.mean()
    print(f"  mean log-probability of a token differs by {difference:+.3f}", end=" ")
    print(f"± {error:.3f} nats; greedy texts {equal}")
    measure_llama_cpp(model, text, n, tokens, rounds, min(ours.seconds))


def english(model: LanguageModel, length: int) -> str:
    """A text of about so many tokens."""
    text = " ".join(example.input for example in sentiment().examples(TRAIN)[:100])
    return model.tokenizer.decode(model.tokenizer(text).input_ids[:length])


def measure_llama_cpp(
    model: LanguageModel, text: str, n: int, tokens: int, rounds: int, best: float
) -> None:
    """The same samples by llama.cpp, if it is installed."""
    if importlib.util.find_spec("llama_cpp") is None:
        print("  llama.cpp: not measured, llama-cpp-python is not installed", flush=True)
        return
    from llama_cpp import Llama

    place = SMOLLM2.place / SMOLLM2.wheel.member.split("/")[-1]
    threads = torch.get_num_threads()
    cpp = Llama(str(place), n_ctx=512, n_threads=threads, n_threads_batch=threads, verbose=False)
    ids, cost, written = model.tokenizer(text).input_ids, Cost(), 0

    def sample() -> int:
        count = 0
        for _ in range(n):
            count += len(list(islice(cpp.generate(ids, top_k=0, top_p=1, temp=1), tokens)))
        return count

    for _ in range(rounds):
        cost.run(sample)
        written = cost.found
    ratio = min(cost.seconds) / best
    more = f"{ratio:.1f} times the course's time, {written} tokens, four-bit weights"
    print(cost.line("llama.cpp", more), flush=True)


def measure_training(model: LanguageModel, steps: int, rounds: int) -> None:
    """LoRA on reviews, the same adapter and examples."""
    task = sentiment()
    pairs = {
        split: [q.pair for q in questions(task, 0, count, template=PLAIN, split=split)]
        for split, count in ((TRAIN, 500), (VALIDATION, 100))
    }
    train, other = (completions(model.tokenizer, pairs[split]) for split in (TRAIN, VALIDATION))
    rows = [
        {"input_ids": ids, "labels": [IGNORED] * start + ids[start:]}
        for ids, start in zip(train.ids, train.starts, strict=True)
    ]
    shown = training.Examples(train, Dataset.from_list(rows), other, other)
    torch.manual_seed(0)
    adapted = adapt(model.model, "lora")
    base = SimpleNamespace(model=adapted, tokenizer=model.tokenizer)
    settings = FitSettings(steps=steps, batch_size=16, learning_rate=3e-4, precision="fp32")
    costs = {"course": Cost(), "peft + Trainer": Cost()}
    for seed in range(rounds):
        now = replace(settings, seed=seed)
        costs["course"].run(lambda now=now: training.run_fit(base, shown, now))
        costs["peft + Trainer"].run(lambda now=now: training.run_trainer(base, shown, now, {}))
    before, _ = training.fp32_losses(adapted, shown)
    print(f"LoRA training: {steps} steps of 16 reviews; loss before {before:.3f} nats")
    speeds = {n: c.found.tokens / c.found.seconds for n, c in costs.items()}
    for name, cost in costs.items():
        more = f"{speeds[name]:7.0f} tokens/s, loss {cost.found.loss:.3f} nats"
        print(cost.line(name, more))
    ratio = speeds["course"] / speeds["peft + Trainer"]
    print(f"  {ratio:.2f} times the tokens a second; goal 1.5", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=PARTS, nargs="*", default=list(PARTS))
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    model = load("gpt-middle", "index")
    print(f"{SMOLLM2.name}, {torch.get_num_threads()} threads, best of {chosen.rounds}")
    if "scoring" in chosen.part:
        measure_scoring(model, chosen.queries, chosen.rounds)
    if "precision" in chosen.part:
        measure_precision(chosen.queries, chosen.rounds)
    if "sampling" in chosen.part:
        measure_sampling(model, chosen.rounds)
    if "training" in chosen.part:
        measure_training(model, chosen.steps, chosen.rounds)


if __name__ == "__main__":
    main()
