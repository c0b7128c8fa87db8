"""A verifier on log-probabilities: a logistic regression on those that an unchanged language model
gives a chain's tokens.

A verifier of Cobbe et al. 2021 (:mod:`course.reasoning.verifier`) sees a chain's hidden states. A
small model knows the result of a sum only in its last layer, at the position *before* the result,
where no later position can read it. Its probability of the result holds just this knowledge.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from transformers import PreTrainedTokenizerBase

from course.lm.language_model import LanguageModel
from course.reasoning.problems import wording
from course.reasoning.solving import Attempt
from course.reasoning.styles import make_prompt
from course.reasoning.verifier import by_problem, of_both_kinds

#: Log-probability (nats) that stands for a word which the tokenizer does not know: a hot sample may
#: have one, such as ``[CLS]``.
UNKNOWN = -20.0


@dataclass(frozen=True)
class LogprobVerifier:
    """A language model that scores chains, and a logistic regression on :func:`chain_logprobs`.

    Attributes:
        model: scores the chains.
        head: standardisation, then the regression.
    """

    model: LanguageModel
    head: Pipeline

    def scores(self, attempts: Sequence[Sequence[Attempt]]) -> list[np.ndarray]:
        """For each problem the log-odds that each of its attempts is right, (attempts,)."""
        flat = [a for tries in attempts for a in tries]
        if not flat:
            return by_problem(np.empty(0), attempts)
        return by_problem(self.head.decision_function(chain_logprobs(self.model, flat)), attempts)


def chain_logprobs(model: LanguageModel, attempts: Sequence[Attempt]) -> np.ndarray:
    """Log-probabilities (nats) of attempts after the trigger phrase, of all tokens and of the
    unlikeliest one, (attempts, 2).

    The first is low for odd wording, the second for a single slip in usual wording.

    Raises:
        ValueError: for an attempt that is longer than the model's window.
    """
    prompts = [make_prompt(a.problem, "trigger", wording(a.problem.task)).text for a in attempts]
    known, whole = zip(*(_known(a.text, model.tokenizer) for a in attempts), strict=True)
    values = [
        tokens if all_known else np.append(tokens, UNKNOWN)
        for tokens, all_known in zip(model.score_tokens(prompts, known), whole, strict=True)
    ]
    return np.array([(tokens.sum(), tokens.min()) for tokens in values])


def _known(text: str, tokenizer: PreTrainedTokenizerBase) -> tuple[str, bool]:
    """The text before the first word that the tokenizer does not know, and whether it is all."""
    encoding = tokenizer(
        text, add_special_tokens=False, split_special_tokens=True, return_offsets_mapping=True
    )
    starts = [
        start
        for token, (start, _) in zip(encoding.input_ids, encoding.offset_mapping, strict=True)
        if token == tokenizer.unk_token_id
    ]
    known = text[: starts[0]] if starts else text
    return known.rstrip() or " .", not starts


def train_logprob_verifier(
    model: LanguageModel, attempts: Sequence[Sequence[Attempt]]
) -> LogprobVerifier:
    """A verifier trained on attempts at *training* problems; the model itself does not change.

    Raises:
        ValueError: if all attempts are right, or all are wrong.
    """
    flat = of_both_kinds(attempts)
    head = make_pipeline(StandardScaler(), LogisticRegression())
    return LogprobVerifier(model, head.fit(chain_logprobs(model, flat), [a.right for a in flat]))
