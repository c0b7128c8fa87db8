"""A real model, SmolLM2-135M of the tier ``index``: scoring beside ``lm-eval``, sampling beside
``generate`` and ``llama.cpp``, LoRA training beside ``peft`` with ``Trainer``, in one run.

``python benchmarks/real_model.py [--part scoring precision sampling training] [--queries N]``.
Every contender has a process of its own. Its line has the best time of several rounds that take
turns, and the highest memory of that process while it ran, model included (sampled); below stands
how far the results agree. The goals: scoring (8 shared demonstrations, 200 queries, 2 labels) 10
times as fast as lm-eval, 16 samples of 64 tokens after 256 three times as fast as ``generate``,
LoRA 1.5 times the tokens a second of ``Trainer`` at no worse a loss. The part ``precision`` scores
the same queries in single precision and in bfloat16, with the accuracy that each has.

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
  tokens takes 11 of its 140 milliseconds. By these figures the whole comes to 2.3 times on one
  thread, as was measured, and on two to less. Keys that are not repeated for the queries of a group
  would have saved 2 % of the first 15 steps.

llama.cpp (``pip install llama-cpp-python``, which builds it) computes on the four-bit weights that
the wheel holds, and so another model by a little; it reads the prompt once and writes one sample
after the other.
"""

import argparse
import importlib.util
from dataclasses import replace
from itertools import islice
from types import SimpleNamespace
from typing import Any

import numpy as np
import sampling
import torch
from datasets import Dataset
from fresh_processes import Cost, Work, compete

from course.adapters import adapt
from course.lm.language_model import LanguageModel, load
from course.models.devices import DTYPES
from course.models.index import SMOLLM2
from course.prompting.evaluation import questions
from course.prompting.prompts import PLAIN
from course.studies.records import machine
from course.tasks import DataError, Task, load_task
from course.training.completion_data import completions
from course.training.fit_settings import FitSettings
from course.training.packing import IGNORED
from course.world.split import TRAIN, VALIDATION

PARTS = ("scoring", "precision", "sampling", "training")
#: What is scored behind a review.
LABELS = (" negative", " positive")
#: Batch sizes of lm-eval, whose best counts.
BATCH_SIZES = (16, 64, 200)
#: The goal of sampling.
SAMPLES = sampling.Workload("256 tokens, 16 samples of 64", 256, 16, 64)


def model() -> LanguageModel:
    return load("gpt-middle", "index")


def sentiment() -> Task:
    """Reviews of films, or those of the micro-world where no data set is at hand."""
    try:
        return load_task("sentiment", wanted_tier="index")
    except DataError as error:
        print(f"(the micro-world's reviews instead: {error})")
        return load_task("sentiment", wanted_tier="tiny")


# scoring


def labelled_prompts(queries: int) -> tuple[list[str], np.ndarray]:
    """Reviews behind the same eight demonstrations, and the place of the right one of LABELS."""
    first, *others = questions(sentiment(), 8, queries, template=PLAIN)
    shared = first.prompt.demonstrations
    every = (first, *others)
    prompts = [replace(question.prompt, demonstrations=shared).text for question in every]
    return prompts, np.array([LABELS.index(question.continuation) for question in every])


def requests(queries: int) -> list[tuple[str, str]]:
    """Every label behind every prompt."""
    prompts, _ = labelled_prompts(queries)
    return [(prompt, label) for prompt in prompts for label in LABELS]


def scores_by_course(queries: int) -> Work:
    ours, pairs = model(), requests(queries)
    return lambda seed: ours.score(*zip(*pairs, strict=True))


def scores_by_lm_eval(queries: int, batch_size: int) -> Work:
    import scoring  # and lm-eval, whose memory is counted for it alone

    judge, pairs = scoring.peer(model(), batch_size), requests(queries)
    return lambda seed: scoring.ask(judge, pairs)


def measure_scoring(queries: int, batch_sizes: list[int], rounds: int) -> None:
    """The two labels of many reviews behind the same eight demonstrations."""
    theirs = {f"lm-eval, batches of {size}": size for size in batch_sizes}
    costs = compete(
        {"course": (scores_by_course, (queries,))}
        | {name: (scores_by_lm_eval, (queries, size)) for name, size in theirs.items()},
        rounds,
    )
    ours, best = costs["course"], min(theirs, key=lambda name: costs[name].best)
    difference = np.abs(ours.results[-1] - costs[best].results[-1]).max()
    print(f"scoring: 8 shared demonstrations, {queries} queries, 2 labels")
    print(ours.line("course"))
    print(costs[best].line(best, f"{costs[best].best / ours.best:.1f} times; goal 10"))
    print(f"  largest difference of a log-probability {difference:.1e} nats", flush=True)


# precision


def scores_in(precision: str, queries: int) -> Work:
    ours = load("gpt-middle", "index", precision)
    prompts, _ = labelled_prompts(queries)
    size = sum(weight.nbytes for weight in ours.model.parameters()) / 1e6
    return lambda seed: (size, ours.score_labels(prompts, LABELS))


def measure_precision(queries: int, rounds: int) -> None:
    """The same scores in single precision and in bfloat16."""
    _, right = labelled_prompts(queries)
    costs = compete({name: (scores_in, (name, queries)) for name in DTYPES}, rounds)
    print(f"precision: 8 shared demonstrations, {queries} queries, 2 labels")
    for name, cost in costs.items():
        size, scores = cost.results[-1]
        accuracy = 100 * (scores.argmax(1) == right).mean()
        print(cost.line(name, f"weights of {size:.0f} MB, {accuracy:.1f} % right"))
    (_, exact), (_, coarse) = (costs[name].results[-1] for name in ("fp32", "bf16"))
    same = 100 * (exact.argmax(1) == coarse.argmax(1)).mean()
    print(f"  bf16 {costs['fp32'].best / costs['bf16'].best:.1f} times as fast;", end=" ")
    print(f"{same:.1f} % of the answers are the same; largest difference of a", end=" ")
    print(f"log-probability {np.abs(exact - coarse).max():.2f} nats", flush=True)


# sampling


def english(ours: LanguageModel, length: int) -> str:
    """A text of about so many tokens."""
    text = " ".join(example.input for example in sentiment().examples(TRAIN)[:100])
    return ours.tokenizer.decode(ours.tokenizer(text).input_ids[:length])


def samples_by_course() -> Work:
    ours = sampling.endless(model())
    texts = [english(ours, SAMPLES.length)]
    return lambda seed: sampling.ours(ours, texts, SAMPLES, seed)


def samples_by_generate() -> Work:
    ours = sampling.endless(model())
    texts = [english(ours, SAMPLES.length)]
    return lambda seed: sampling.theirs(ours, texts, SAMPLES, seed)


def greedy_texts_agree() -> Work:
    ours = sampling.endless(model())
    texts = [english(ours, SAMPLES.length)]
    return lambda seed: sampling.same_greedy(ours, texts, SAMPLES)


def samples_by_llama_cpp() -> Work:
    """The prompt is read once, one sample is written after the other; the tokens written."""
    from llama_cpp import Llama

    place = SMOLLM2.place / SMOLLM2.wheel.member.split("/")[-1]
    threads = torch.get_num_threads()
    cpp = Llama(str(place), n_ctx=512, n_threads=threads, n_threads_batch=threads, verbose=False)
    ours = model()
    ids = ours.tokenizer(english(ours, SAMPLES.length)).input_ids

    def work(seed: int) -> int:
        cpp.set_seed(seed)
        texts = (cpp.generate(ids, top_k=0, top_p=1, temp=1) for _ in range(SAMPLES.n))
        return sum(len(list(islice(text, SAMPLES.tokens))) for text in texts)

    return work


def measure_sampling(rounds: int) -> None:
    """16 samples of 64 tokens after 256."""
    ways = {"course": (samples_by_course, ()), "generate": (samples_by_generate, ())}
    if cpp := importlib.util.find_spec("llama_cpp"):
        ways["llama.cpp"] = (samples_by_llama_cpp, ())
    costs = compete(ways, rounds)
    (equal,) = compete({"": (greedy_texts_agree, ())}, 1)[""].results
    ours, theirs = costs["course"], costs["generate"]
    print(f"sampling: {SAMPLES.name}")
    print(ours.line("course"))
    print(theirs.line("generate", f"{theirs.best / ours.best:.1f} times; goal 3"))
    first, second = (np.concatenate(cost.results) for cost in (ours, theirs))
    error = 2 * (first.var() / len(first) + second.var() / len(second)) ** 0.5
    print(
        f"  mean log-probability of a token differs by {first.mean() - second.mean():+.3f}", end=""
    )
    print(f" ± {error:.3f} nats; greedy texts {'equal' if equal else 'DIFFERENT'}")
    if cpp:
        print(llama_cpp_line(costs["llama.cpp"], ours), flush=True)
    else:
        print("  llama.cpp: not measured, llama-cpp-python is not installed", flush=True)


def llama_cpp_line(cost: Cost, ours: Cost) -> str:
    ratio, written = cost.best / ours.best, cost.results[-1]
    return cost.line(
        "llama.cpp", f"{ratio:.1f} times the course's time, {written} tokens, four-bit weights"
    )


# training


def lora(steps: int) -> tuple[SimpleNamespace, Any, FitSettings]:
    """The model under a fresh adapter, reviews (``training.Examples``), and how it is trained: the
    same on both sides.
    """
    import training

    task, base = sentiment(), model()
    pairs = {
        split: [q.pair for q in questions(task, 0, count, template=PLAIN, split=split)]
        for split, count in ((TRAIN, 500), (VALIDATION, 100))
    }
    train, other = (completions(base.tokenizer, pairs[split]) for split in (TRAIN, VALIDATION))
    rows = [
        {"input_ids": ids, "labels": [IGNORED] * start + ids[start:]}
        for ids, start in zip(train.ids, train.starts, strict=True)
    ]
    torch.manual_seed(0)
    adapted = SimpleNamespace(model=adapt(base.model, "lora"), tokenizer=base.tokenizer)
    settings = FitSettings(steps=steps, batch_size=16, learning_rate=3e-4, precision="fp32")
    return adapted, training.Examples(train, Dataset.from_list(rows), other, other), settings


def loss_before() -> Work:
    import training

    adapted, shown, _ = lora(1)
    return lambda seed: training.fp32_losses(adapted.model, shown)[0]


def lora_by_course(steps: int) -> Work:
    import training

    adapted, shown, settings = lora(steps)
    return lambda seed: training.run_fit(adapted, shown, replace(settings, seed=seed))


def lora_by_trainer(steps: int) -> Work:
    import training

    adapted, shown, settings = lora(steps)
    return lambda seed: training.run_trainer(adapted, shown, replace(settings, seed=seed), {})


def measure_training(steps: int, rounds: int) -> None:
    """LoRA on reviews, the same adapter and examples."""
    costs = compete(
        {"course": (lora_by_course, (steps,)), "peft + Trainer": (lora_by_trainer, (steps,))},
        rounds,
    )
    (before,) = compete({"": (loss_before, ())}, 1)[""].results
    print(f"LoRA training: {steps} steps of 16 reviews; loss before {before:.3f} nats")
    speeds = {}
    for name, cost in costs.items():
        runs = cost.results
        speeds[name] = max(run.tokens / run.seconds for run in runs)
        loss = np.mean([run.loss for run in runs])
        trained = replace(cost, seconds=tuple(run.seconds for run in runs))
        print(trained.line(name, f"{speeds[name]:7.0f} tokens/s, loss after {loss:.3f} nats"))
    ratio = speeds["course"] / speeds["peft + Trainer"]
    print(f"  {ratio:.2f} times the tokens a second; goal 1.5", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=PARTS, nargs="*", default=list(PARTS))
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument(
        "--batch-sizes", type=int, nargs="+", default=BATCH_SIZES, help="of lm-eval"
    )
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    print(f"{SMOLLM2.name}, {machine()}, {torch.get_num_threads()} threads,", end=" ")
    print(f"best of {chosen.rounds}", flush=True)
    if "scoring" in chosen.part:
        measure_scoring(chosen.queries, chosen.batch_sizes, chosen.rounds)
    if "precision" in chosen.part:
        measure_precision(chosen.queries, chosen.rounds)
    if "sampling" in chosen.part:
        measure_sampling(chosen.rounds)
    if "training" in chosen.part:
        measure_training(chosen.steps, chosen.rounds)


if __name__ == "__main__":
    main()
