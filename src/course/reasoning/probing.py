"""Where in a model it stands whether a sum is right: linear probes on its states (Alain and Bengio
2017), beside its own probability.
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
    """A problem of one step with the beginning of its solution, up to the result."""

    text: str
    right: bool
    split: str


def written_sums(seed: int = 0) -> list[WrittenSum]:
    """Every single sum of the small world twice, with its result and with a false one, in random
    order.
    """
    rng, found = Rng(f"written sums/{seed}"), []
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
        found += [
            WrittenSum(f"{begun} {value}", value == result, split_of(sums.SPLIT_KEY, step))
            for value in (result, false)
        ]
    return rng.sample(found, len(found))


def error_detection(
    model: LanguageModel, seed: int = 0, learn: int = 800, judge: int = 400, split: str = TEST
) -> dict[str, float]:
    """How well right results of held-out sums are told from false ones: area under the ROC curve in
    percent, 50 by chance.

    Args:
        learn: from so many sums of the training split the probes learn.
        judge: so many of ``split`` they are judged on.

    Returns:
        ``"probability"``: by the model's probability of the result; ``"layer 0"`` (the embedding)
        to the last: by a linear probe on the state at the result.
    """
    written = written_sums(seed)
    known, new = (
        [s for s in written if s.split == kind][:count]
        for kind, count in ((TRAIN, learn), (split, judge))
    )
    (seen, _), (states, values) = _read(model, known), _read(model, new)
    right = [s.right for s in new]
    found = {"probability": 100 * roc_auc_score(right, values)}
    for layer in range(states.shape[1]):
        probe = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=300)).fit(
            seen[:, layer], [s.right for s in known]
        )
        found[f"layer {layer}"] = 100 * roc_auc_score(
            right, probe.decision_function(states[:, layer])
        )
    return {name: float(value) for name, value in found.items()}


def _read(model: LanguageModel, written: Sequence[WrittenSum]) -> tuple[np.ndarray, np.ndarray]:
    """States at the result, (sums, layers and embedding, width), and the log-probability of the
    result, (sums,).
    """
    states, values = [], []
    for first in range(0, len(written), _ROWS):
        texts = [s.text for s in written[first : first + _ROWS]]
        read = model.tokenizer(
            texts, return_tensors="pt", padding=True, padding_side="left", split_special_tokens=True
        )
        read = read.to(model.model.device)
        with torch.inference_mode():
            output = model.model(**read, output_hidden_states=True)
        states.append(
            torch.stack([state[:, -1] for state in output.hidden_states], 1).float().cpu()
        )
        before = output.logits[:, -2].float().log_softmax(-1)
        values.append(before.gather(1, read.input_ids[:, -1:])[:, 0].cpu())
    return torch.cat(states).numpy(), torch.cat(values).numpy()
