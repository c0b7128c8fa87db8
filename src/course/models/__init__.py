"""Load pretrained models and tokenizers: shipped weights, checkpoints of the Hugging Face hub,
tiers.
"""

from course.foundation.lazy import lazy_names

_NAMES = {
    "hub": ["HubError", "tier"],
    "loading": [
        "Checkpoint",
        "HUB",
        "WEIGHTS",
        "WeightsError",
        "get_base_model",
        "load_model",
        "load_tokenizer",
        "load_with_head",
        "num_virtual_tokens",
        "shipped_models",
        "weights_sha256",
    ],
}
__all__ = [
    "Checkpoint",
    "HUB",
    "HubError",
    "WEIGHTS",
    "WeightsError",
    "get_base_model",
    "load_model",
    "load_tokenizer",
    "load_with_head",
    "num_virtual_tokens",
    "shipped_models",
    "tier",
    "weights_sha256",
]
__getattr__, __dir__ = lazy_names(__name__, _NAMES)
