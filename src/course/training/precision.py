"""Training precision: bfloat16 autocast where the processor computes in it, else float32."""

import torch
from transformers import PreTrainedModel

#: ``"fp32"`` is single precision; ``"bf16"`` is autocast: products in bfloat16, weights and their
#: updates in single precision.
PRECISIONS = ("fp32", "bf16")
#: Narrower models gain nothing from bfloat16 on a CPU: its conversions cost what its products save.
_BF16_WIDTH = 128
#: Micro-batches of so many tokens gain at half that width.
_MANY_TOKENS = 4096


def pays_in_bf16(model: PreTrainedModel, max_tokens_per_batch: int = 0) -> bool:
    """Whether bfloat16 is faster than float32 for a model where it stands.

    It is on a GPU that computes in it, and on a CPU that does, for matrices of some size: a CPU
    without instructions for it takes several times as long as in float32. A model whose weights are
    stored in it leaves no choice.

    Args:
        max_tokens_per_batch: how many tokens go through the model at once; 0 for few.
    """
    device = next(model.parameters()).device
    if any(p.dtype == torch.bfloat16 for p in model.parameters()):
        return True
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    narrow = _BF16_WIDTH // 2 if max_tokens_per_batch >= _MANY_TOKENS else _BF16_WIDTH
    if device.type != "cpu" or getattr(model.config, "hidden_size", 0) < narrow:
        return False
    native = torch.cpu.get_capabilities()
    return bool(native.get("avx512_bf16") or native.get("amx_bf16"))


def best_precision(model: PreTrainedModel, max_tokens_per_batch: int = 0) -> str:
    """The faster of :data:`PRECISIONS`: see :func:`pays_in_bf16`."""
    return "bf16" if pays_in_bf16(model, max_tokens_per_batch) else "fp32"


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """The context in which a model on ``device`` computes in ``precision``."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")
