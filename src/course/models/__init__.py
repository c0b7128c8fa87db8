"""Load pretrained models and tokenizers, in tiers: shipped weights, the Python package index, the
Hugging Face hub.
"""

import warnings

from course.foundation.lazy import lazy_names

# peft 0.21 calls something of transformers 5.23 by its old name; readers, who call peft themselves,
# can do nothing about it
warnings.filterwarnings("ignore", "`is_gradient_checkpointing` is deprecated", FutureWarning)

__all__, __getattr__, __dir__ = lazy_names(
    __name__,
    {
        "hub": ["HubError", "is_real", "tier"],
        "index": ["INDEX"],
        "sizes": ["live_sizes"],
        "loading": ["load_model", "load_tokenizer", "load_with_head"],
        "peft_wrapper": ["get_base_model", "num_virtual_tokens"],
        "roles": ["Checkpoint", "HUB", "model_fingerprint", "model_names"],
        "wheels": ["PackageIndexError"],
        "shipped": ["WEIGHTS", "WeightsError", "shipped_models", "weights_sha256"],
    },
)
