"""A verifier that leaves the language model as it is: a head over the probabilities that the model
gives a chain's tokens.

A verifier of Cobbe et al. 2021 (:mod:`course.reasoning.verifier`) sees a chain's hidden states.
What a small model knows about the result of a sum is complete in its last layer alone, at the place
*before* the result, where no later place can read it. The model's own probability of the result is
just that knowledge.
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
    """A language model that reads chains, and a logistic regression on the two figures of
    :func:`read`.
    """

    model: LanguageModel
    head: Pipeline

    def scores(self, attempts: Sequence[Sequence[Attempt]]) -> list[np.ndarray]:
        """For each problem the log-odds that each of its attempts is right, (attempts,)."""
        flat = [a for found in attempts for a in found]
        return by_problem(
            self.head.decision_function(read(self.model, flat)) if flat else np.empty(0), attempts
        )


def read(model: LanguageModel, attempts: Sequence[Attempt]) -> np.ndarray:
    """The log-probability (nats) of each attempt behind the trigger phrase, and that of its
    unlikeliest token, (attempts, 2).

    The first is low for what is oddly put, the second for a chain that is well put but for one
    slip.

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
    """What stands before the first word that the tokenizer does not know, and whether that is all."""
    read = tokenizer(
        text, add_special_tokens=False, split_special_tokens=True, return_offsets_mapping=True
    )
    starts = [
        start
        for token, (start, _) in zip(read.input_ids, read.offset_mapping, strict=True)
        if token == tokenizer.unk_token_id
    ]
    known = text[: starts[0]] if starts else text
    return known.rstrip() or " .", not starts


def train_logprob_verifier(
    model: LanguageModel, attempts: Sequence[Sequence[Attempt]]
) -> LogprobVerifier:
    """Train the head on attempts at *training* problems; the model, of any size, stays as it is.

    Raises:
        ValueError: if all attempts are right, or all are wrong.
    """
    flat = of_both_kinds(attempts)
    head = make_pipeline(StandardScaler(), LogisticRegression())
    return LogprobVerifier(model, head.fit(read(model, flat), [a.right for a in flat]))
