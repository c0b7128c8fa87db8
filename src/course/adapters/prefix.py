r"""Initialisation of prefix tuning (Li and Liang 2021) from the keys and values of a text.

Every layer's attention reads $m$ more positions, whose keys and values are parameters:

$$\text{attention}(q, [P_k; K], [P_v; V]), \qquad P_k, P_v \in \mathbb{R}^{m \times d}.$$

In $L$ layers that makes $2 L m d$ parameters. Drawn at random they are unlike anything that the
model has ever attended to, and training must undo that first. Keys and values of real words are a
better start.
"""

import torch
from peft import PeftModel
from peft.tuners.cartridge.utils import initialize_kv_prefix_from_past_key_values
from transformers import DynamicCache

from course.models.peft_wrapper import get_base_model


def start_prefix_from(model: PeftModel, ids: torch.Tensor) -> None:
    """Let the active prefix begin as the keys and values of a text that the base model reads.

    Works for decoders and for BERT, which fills a cache if it is given one.

    Args:
        model: adapted by prefix tuning, without its reparametrisation.
        ids: (tokens,), at least as many as the prefix is long; the first ones count.

    Raises:
        ValueError: for fewer tokens, another method, or a reparametrised prefix.
    """
    cache = DynamicCache()
    with (
        torch.inference_mode()
    ):  # the model inside knows nothing of the prefix, which peft hands to it at each call
        get_base_model(model)(input_ids=ids[None].to(model.device), past_key_values=cache)
    initialize_kv_prefix_from_past_key_values(
        model, past_key_values=[(layer.keys, layer.values) for layer in cache.layers]
    )
