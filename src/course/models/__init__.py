"""Load pretrained models and tokenizers, in tiers: shipped weights, the Python package index, the
Hugging Face hub.
"""

from course.foundation.lazy import lazy_names

__all__, __getattr__, __dir__ = lazy_names(
    __name__,
    {
        "hub": ["HubError", "is_real", "tier"],
        "index": ["INDEX"],
        "sizes": ["live_sizes"],
        "loading": [
            "Checkpoint",
            "HUB",
            "get_base_model",
            "load_model",
            "model_fingerprint",
            "model_names",
            "load_tokenizer",
            "load_with_head",
            "num_virtual_tokens",
        ],
        "wheels": ["PackageIndexError"],
        "shipped": ["WEIGHTS", "WeightsError", "shipped_models", "weights_sha256"],
    },
)
