"""Linear probes (Alain and Bengio 2017): where in a model right sums are told from false ones, in
its hidden states or in its probability of the result.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from course.foundation.rng import Rng
from course.lm.language_model import LanguageModel
from course.reasoning.problems import Problem, wording
from course.reasoning.styles import make_prompt
from course.world import sums
from course.world.split import TEST, TRAIN, split_of

#: False results are off by so much, as those of the models are.
_OFF = (-10, -2, -1, 1, 2, 10)
_ROWS = 64


@dataclass(frozen=True)
class WrittenSum:
    """A problem of one step with the beginning of its solution, up to the result.

    Attributes:
        text: the prompt and the sum.
        right: whether the result is.
        split: of the sum.
    """

    text: str
    right: bool
    split: str


def written_sums(seed: int = 0) -> list[WrittenSum]:
    """Every sum of the micro-world twice, with its result and with a false one, in random order."""
    rng, written = Rng(f"written sums/{seed}"), []
    for step, result in sums.all_steps().items():
        a, sign, b = step.split()
        change = f"then tessa {'gets' if sign == '+' else 'gives away'} {b} ."
        problem = Problem(
            "problem",
            f"tessa has {a} coins . {change} how many coins does tessa have ?",
            (f"{step} = {result}",),
            result,
        )
        false = rng.choice([str(int(result) + off) for off in _OFF if 0 <= int(result) + off < 100])
        begun = f"{make_prompt(problem, 'trigger', wording('problem', 'tiny')).text} {step} ="
        written += [
            WrittenSum(f"{begun} {value}", value == result, split_of(sums.SPLIT_KEY, step))
            for value in (result, false)
        ]
    return rng.sample(written, len(written))


def error_detection(
    model: LanguageModel, seed: int = 0, learn: int = 800, judge: int = 400, split: str = TEST
) -> dict[str, float]:
    """How well right results of held-out sums are told from false ones: area under the ROC curve in
    percent, 50 by chance.

    Args:
        learn: the number of sums of the training split that the probes learn from.
        judge: the number of sums of ``split`` that they are judged on.

    Returns:
        ``"probability"``: by the model's probability of the result. ``"layer 0"`` (the embedding)
        to the last layer: by a linear probe on the hidden state at the result.
    """
    written = written_sums(seed)
    known, new = (
        [s for s in written if s.split == kind][:count]
        for kind, count in ((TRAIN, learn), (split, judge))
    )
    (seen, _), (states, values) = _forward(model, known), _forward(model, new)
    right = [s.right for s in new]
    areas = {"probability": 100 * roc_auc_score(right, values)}
    for layer in range(states.shape[1]):
        probe = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=300))
        probe.fit(seen[:, layer], [s.right for s in known])
        scores = probe.decision_function(states[:, layer])
        areas[f"layer {layer}"] = 100 * roc_auc_score(right, scores)
    return {name: float(area) for name, area in areas.items()}


def _forward(model: LanguageModel, written: Sequence[WrittenSum]) -> tuple[np.ndarray, np.ndarray]:
    """Hidden states at the result, (sums, layers + 1, width), and log-probabilities of the results,
    (sums,).
    """
    states, values = [], []
    for first in range(0, len(written), _ROWS):
        texts = [s.text for s in written[first : first + _ROWS]]
        batch = model.tokenizer(
            texts, return_tensors="pt", padding=True, padding_side="left", split_special_tokens=True
        ).to(model.model.device)
        with torch.inference_mode():
            output = model.model(**batch, output_hidden_states=True)
        last = torch.stack([state[:, -1] for state in output.hidden_states], 1)  # (B, layers+1, W)
        states.append(last.float().cpu())
        before = output.logits[:, -2].float().log_softmax(-1)  # (B, vocabulary)
        values.append(before.gather(1, batch.input_ids[:, -1:])[:, 0].cpu())  # (B,)
    return torch.cat(states).numpy(), torch.cat(values).numpy()
