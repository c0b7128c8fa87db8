"""What the methods that train a model share: the parts that are trained, learning rates to choose
from, and the folder of what was trained.
"""

from pathlib import Path

from course.compare.base import TRIALS, Setting
from course.foundation.rng import Rng

#: Method of :mod:`course.adapters` -> the part of the model that it trains and stores.
PARTS = {
    "lora": "low-rank matrices",
    "bitfit": "biases",
    "full": "all weights",
    "prompt": "vectors of a prompt",
}
#: Folder of a saved model or adapter inside that of its method.
MODEL_FOLDER = "model"
#: Factors of the usual rate between which the other trials are drawn.
_SPREAD = 4.0


def rates(usual: float, name: str) -> list[Setting]:
    """The usual learning rate, and others around it, drawn once and for all (random search)."""
    rng = Rng(f"learning rates/{name}")
    factors = [1.0, *(_SPREAD ** (2 * rng.random() - 1) for _ in range(TRIALS - 1))]
    return [{"learning_rate": float(f"{usual * factor:.2g}")} for factor in factors]


def check_safetensors(folder: Path) -> None:
    """Refuse a saved model without weights in safetensors; no other format is read.

    Raises:
        ValueError: if there are none.
    """
    if not list(folder.glob("*.safetensors")):
        raise ValueError(f"{folder} has no weights in safetensors: save the method again")
