"""Verifiers (Cobbe et al. 2021): a model with a head that tells right chains from wrong ones after
each of their tokens; best of n and weighted votes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import torch
from transformers import (
    AutoConfig,
    AutoModelForTokenClassification,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from course.heads.head import outputs
from course.lm.language_model import LanguageModel
from course.models.peft_wrapper import get_base_model
from course.reasoning.problems import wording
from course.reasoning.solving import Attempt
from course.tasks.answer_parsing import NO_ANSWER, Answer, same_answer
from course.training.batches import pad_id
from course.training.encoded_data import Encoded, encoded
from course.training.fit_settings import FitSettings
from course.training.fitting import fit
from course.training.history import History
from course.training.packing import IGNORED

#: Peak learning rate by which a whole model becomes a verifier.
RATE = 5e-4


@dataclass(frozen=True)
class Verifier:
    """A token-classification model over a problem with a solution: after each token of the solution
    it says whether the answer will be right (label 1). The last one counts.

    Attributes:
        model: with two logits a token, wrong and right.
        tokenizer: of the model.
        history: of its training.
    """

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    history: History

    def scores(self, attempts: Sequence[Sequence[Attempt]]) -> list[np.ndarray]:
        """For each problem the log-odds that each of its attempts is right, (attempts,)."""
        flat = [a for tries in attempts for a in tries]
        if not flat:
            return by_problem(np.empty(0), attempts)
        data = _encode(self.tokenizer, flat)
        scores = np.empty(len(flat))
        for positions, output in outputs(self.model, data.features, data.pad):
            logits = output.logits.float().cpu()  # (B, T, 2), padded on the right
            last = torch.tensor([data.tokens[i] - 1 for i in positions])
            final = logits[torch.arange(len(last)), last]  # (B, 2)
            scores[positions] = (final[:, 1] - final[:, 0]).numpy()
        return by_problem(scores, attempts)


def train_verifier(
    base: LanguageModel,
    attempts: Sequence[Sequence[Attempt]],
    steps: int = 150,
    learning_rate: float = RATE,
    seed: int = 0,
) -> Verifier:
    """Make a copy of a causal model into a verifier, from attempts at problems that are no test.

    As in Cobbe et al. every token of a solution bears the label of its answer, so that the model
    learns at each place what is to be expected. (They train it to go on writing solutions beside
    that; here it is not.)

    Args:
        base: its transformer body is where the verifier starts; the model itself does not change.
        attempts: right and wrong ones.
        steps: optimiser steps of 32 attempts.
        learning_rate: the peak of the schedule.
        seed: of the new head's weights and of the batches.

    Raises:
        ValueError: if all attempts are right, or all are wrong.
    """
    flat = of_both_kinds(attempts)
    source = get_base_model(base.model)
    config = AutoConfig.for_model(**source.config.to_dict() | {"num_labels": 2})
    config.pad_token_id = pad_id(base.tokenizer)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = AutoModelForTokenClassification.from_config(config).float()
    model.base_model.load_state_dict(source.base_model.state_dict())
    model.to(source.device)
    settings = FitSettings(steps=steps, learning_rate=learning_rate, seed=seed, precision="fp32")
    return Verifier(model, base.tokenizer, fit(model, _encode(base.tokenizer, flat), settings))


def of_both_kinds(attempts: Sequence[Sequence[Attempt]]) -> list[Attempt]:
    """All attempts in one list.

    Raises:
        ValueError: if all of them are right, or all are wrong.
    """
    flat = [a for tries in attempts for a in tries]
    if len({a.right for a in flat}) < 2:
        kind = "right" if flat and flat[0].right else "wrong"
        raise ValueError(f"{len(flat)} attempts that are all {kind}: a verifier needs both kinds")
    return flat


def by_problem(values: np.ndarray, attempts: Sequence[Sequence[Attempt]]) -> list[np.ndarray]:
    """Values of all attempts, (attempts,), as one array a problem."""
    return np.split(values, np.cumsum([len(tries) for tries in attempts])[:-1]) if attempts else []


def _encode(tokenizer: PreTrainedTokenizerBase, attempts: Sequence[Attempt]) -> Encoded:
    """Problems with their solutions; the tokens of the solution are labelled."""
    queries = [wording(a.problem.task).template.query(a.problem.question) for a in attempts]
    texts = [f"{query} {a.text.strip() or '.'}" for query, a in zip(queries, attempts, strict=True)]
    rows = tokenizer(texts, truncation=True, split_special_tokens=True, return_offsets_mapping=True)
    features = []
    for query, a, ids, spans in zip(
        queries, attempts, rows.input_ids, rows.offset_mapping, strict=True
    ):
        labels = [int(a.right) if end > len(query) else IGNORED for _, end in spans]
        features.append({"input_ids": ids, "labels": labels})
    return encoded(features, pad_id(tokenizer))


def best_of(attempts: Sequence[Attempt], scores: np.ndarray) -> Attempt:
    """The attempt with the highest score (best of n)."""
    return attempts[int(np.argmax(scores))]


def weighted_vote(attempts: Sequence[Attempt], scores: np.ndarray) -> Answer:
    """The answer whose attempts have the largest sum of probabilities of being right; no answer if
    no attempt has one.

    Args:
        scores: log-odds that each attempt is right, (attempts,).
    """
    weights: dict[Fraction | str, tuple[Answer, float]] = {}
    for a, score in zip(attempts, scores, strict=True):
        if a.answer != NO_ANSWER:
            answer, weight = weights.get(a.answer.key, (a.answer, 0.0))
            weights[a.answer.key] = (answer, weight + 1 / (1 + np.exp(-score)))
    return max(weights.values(), key=lambda pair: pair[1])[0] if weights else NO_ANSWER


def best_accuracy(
    attempts: Sequence[Sequence[Attempt]], scores: Sequence[np.ndarray], n: int | None = None
) -> float:
    """Share of the problems whose best attempt is right, in percent; of the first ``n`` samples, or
    of all.
    """
    pairs = zip(attempts, scores, strict=True)
    return float(100 * np.mean([best_of(tries[:n], s[:n]).right for tries, s in pairs]))


def weighted_accuracy(
    attempts: Sequence[Sequence[Attempt]], scores: Sequence[np.ndarray], n: int | None = None
) -> float:
    """Share of the problems whose weighted vote is right, in percent; of the first ``n`` samples,
    or of all.
    """
    right = [
        same_answer(weighted_vote(tries[:n], s[:n]), tries[0].problem.answer)
        for tries, s in zip(attempts, scores, strict=True)
    ]
    return float(100 * np.mean(right))
