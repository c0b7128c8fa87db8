"""Load pretrained models and tokenizers: shipped weights, checkpoints of the Hugging Face hub,
tiers.
"""

from course.foundation.lazy import lazy_names

__all__, __getattr__, __dir__ = lazy_names(
    __name__,
    {
        "hub": ["HubError", "tier"],
        "loading": [
            "Checkpoint",
            "HUB",
            "get_base_model",
            "load_model",
            "load_tokenizer",
            "load_with_head",
            "num_virtual_tokens",
        ],
        "shipped": ["WEIGHTS", "WeightsError", "shipped_models", "weights_sha256"],
    },
)
