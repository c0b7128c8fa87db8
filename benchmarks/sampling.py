"""Sampling: ``course.lm`` beside ``generate(num_return_sequences=n)`` of ``transformers``, in one
process, from the same prompts.

``python benchmarks/sampling.py``. Best time of each over several rounds that take turns. Samples of
two programs cannot be compared one by one, so the greedy texts are (they must be equal), and the
mean log-probability of a sampled token (it must agree within its error).
"""

import argparse
import time
from dataclasses import dataclass

import numpy as np
import torch
from subjects import GPT2_SHAPE, subject

from course.foundation.rng import Rng
from course.lm.language_model import LanguageModel
from course.reasoning import make_prompts, problems, solve, tokens, until_decided
from course.reasoning.solving import MAX_TOKENS
from course.reasoning.styles import ProblemPrompt
from course.reasoning.voting import UntilDecided
from course.world.vocabulary import SPECIAL_TOKENS, vocabulary


@dataclass(frozen=True)
class Workload:
    """``n`` samples of ``tokens`` tokens each after ``prompts`` prompts of ``length`` tokens."""

    name: str
    length: int
    n: int
    tokens: int
    prompts: int = 1

    def texts(self) -> list[str]:
        rng = Rng(f"sampling/{self}")
        words = [w for w in vocabulary() if w not in SPECIAL_TOKENS and w.isalpha()]
        return [
            " ".join(rng.choice(words) for _ in range(self.length - 1)) for _ in range(self.prompts)
        ]


WORKLOADS = (
    Workload("224 tokens, 16 samples of 32", 224, 16, 32),
    Workload("224 tokens, 4 samples of 32", 224, 4, 32),
    Workload("224 tokens, 64 samples of 32", 224, 64, 32),
    Workload("8 tokens, 16 samples of 32", 8, 16, 32),
    Workload("8 tokens, 1 sample of 32", 8, 1, 32),
    Workload("20 prompts of 64, 8 samples of 32", 64, 8, 32, prompts=20),
)


class Endless(LanguageModel):
    """A model that never ends a text, so that every sample has as many tokens as asked for."""

    def _end_ids(self) -> frozenset[int]:
        return frozenset()


def endless(model: LanguageModel) -> Endless:
    model.model.generation_config.eos_token_id = None
    return Endless(model.model, model.tokenizer, model.batch_tokens)


def ours(model: LanguageModel, texts: list[str], work: Workload, seed: int = 0) -> np.ndarray:
    """Mean log-probability of a token in each sample."""
    found = model.generate(texts, n=work.n, temperature=1.0, max_tokens=work.tokens, seed=seed)
    return np.array(
        [sample.log_probability / sample.tokens for samples in found for sample in samples]
    )


def theirs(model: LanguageModel, texts: list[str], work: Workload, seed: int = 0) -> np.ndarray:
    torch.manual_seed(seed)
    tokenizer, network = model.tokenizer, model.model
    asked = tokenizer(texts, return_tensors="pt", padding=True, padding_side="left")
    made = network.generate(
        **asked,
        do_sample=True,
        num_return_sequences=work.n,
        max_new_tokens=work.tokens,
        top_k=0,
        pad_token_id=tokenizer.pad_token_id,
        output_logits=True,
        return_dict_in_generate=True,
    )
    written = made.sequences[:, asked.input_ids.shape[1] :]
    return (
        torch.stack(made.logits, 1)
        .log_softmax(-1)
        .gather(2, written[..., None])[..., 0]
        .mean(1)
        .numpy()
    )


def same_greedy(model: LanguageModel, texts: list[str], work: Workload) -> bool:
    found = [
        model.tokenizer(s[0].text, add_special_tokens=False).input_ids
        for s in model.generate(texts[:1], max_tokens=work.tokens)
    ]
    asked = model.tokenizer(texts[:1], return_tensors="pt")
    made = model.model.generate(**asked, do_sample=False, max_new_tokens=work.tokens)[
        0, asked.input_ids.shape[1] :
    ]
    written = [
        token for token in made.tolist() if token < len(model.tokenizer)
    ]  # the others have no text
    return found == [written]


def timed(work, *given) -> tuple[float, np.ndarray]:
    started = time.perf_counter()
    found = work(*given)
    return time.perf_counter() - started, found


def measure(model: LanguageModel, work: Workload, rounds: int) -> str:
    texts = work.texts()
    times, means = {ours: [], theirs: []}, {ours: [], theirs: []}
    for seed in range(rounds):  # other samples in every round
        for way in (ours, theirs):
            taken, found = timed(way, model, texts, work, seed)
            times[way].append(taken)
            means[way].append(found)
    first, second = (np.concatenate(means[way]) for way in (ours, theirs))
    error = 2 * (first.var() / len(first) + second.var() / len(second)) ** 0.5
    best, other = min(times[ours]), min(times[theirs])
    equal = "equal" if same_greedy(model, texts, work) else "DIFFERENT"
    return (
        f"{work.name:36}{best:9.3f}{other:14.3f}{other / best:8.1f}x"
        f"{first.mean() - second.mean():+13.3f} "
        f"± {error:.3f}{equal:>10}"
    )


def chains_by_transformers(
    model: LanguageModel, asked: list[ProblemPrompt], n: int, temperature: float, seed: int
) -> float:
    """Tokens a problem of ``n`` samples each in one call of ``generate``; it reads every prompt
    once for each of its samples.
    """
    torch.manual_seed(seed)
    prompts = model.tokenizer(
        [q.text for q in asked], return_tensors="pt", padding=True, padding_side="left"
    )
    (stop,) = model.tokenizer(asked[0].stop, add_special_tokens=False).input_ids
    made = model.model.generate(
        **prompts,
        do_sample=True,
        temperature=temperature,
        num_return_sequences=n,
        max_new_tokens=MAX_TOKENS["tiny"],
        top_k=0,
        eos_token_id=[stop, model.tokenizer.eos_token_id],
        pad_token_id=model.tokenizer.pad_token_id,
    )
    written = made[:, prompts.input_ids.shape[1] :] != model.tokenizer.pad_token_id
    return written.sum().item() / len(asked)


def chain_of_thought(model: LanguageModel, rounds: int) -> str:
    """The workload of chapter 5: worked word problems behind shared demonstrations, 16 samples each
    and their vote.

    As it is (demonstrations and prompts are read once); stopped as soon as each vote is decided;
    one call a problem, so that the prompts of two problems share nothing; and by ``transformers``,
    where the samples of one problem share nothing either.
    """
    asked = make_prompts("chain", problems("problem", 3, 20))
    n, temperature = 16, 0.7

    def spent(prompts: list[ProblemPrompt], seed: int, until: UntilDecided | None = None) -> float:
        return tokens(solve(model, prompts, n=n, temperature=temperature, seed=seed, until=until))

    ways = {
        "course, together": lambda seed: spent(asked, seed),
        "course, until decided": lambda seed: spent(asked, seed, until_decided(n, "number")),
        "course, one by one": lambda seed: np.mean([spent([q], seed) for q in asked]),
        "transformers": lambda seed: chains_by_transformers(model, asked, n, temperature, seed),
    }
    found: dict[str, list] = {name: [] for name in ways}
    for seed in range(rounds):  # in turns, so that what else the machine does falls on all of them
        for name, way in ways.items():
            found[name].append(timed(way, seed))
    best = {name: min(taken for taken, _ in runs) for name, runs in found.items()}
    first = next(iter(best.values()))
    rows = [
        f"{name:36}{best[name]:9.3f}{best[name] / first:12.2f}x"
        f"{np.mean([count for _, count in runs]):22.1f}"
        for name, runs in found.items()
    ]
    head = f"{f'{len(asked)} word problems, a vote of {n} each':36}"
    head += f"{'seconds':>9}{'of the first':>13}{'tokens a problem':>22}"
    return "\n".join([head, *rows])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="gpt-large")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--first", type=int, default=len(WORKLOADS), help="only the first so many workloads"
    )
    chosen = parser.parse_args()
    model = subject(chosen.model)
    print(
        f"{chosen.model}, {torch.get_num_threads()} threads, best of {chosen.rounds} rounds in "
        "turns"
    )
    print(
        f"{'':36}{'course s':>9}{'transformers s':>14}{'ratio':>9}"
        f"{'log-probability':>20}{'greedy':>13}"
    )
    # before the model forgets how to end a text; random weights have no chain of thought
    chain = chain_of_thought(model, chosen.rounds) if chosen.model != GPT2_SHAPE else ""
    for work in WORKLOADS[: chosen.first]:
        print(measure(endless(model), work, chosen.rounds), flush=True)
    print(chain)


if __name__ == "__main__":
    main()
