"""Language-model inference: score and generate, tokenization, KV-cache prefill on a prefix tree,
decoding, OpenAI-compatible API.
"""

from course.foundation.lazy import lazy_names

_NAMES = {
    "contract": ["Sample", "TextModel"],
    "generation_config": ["GenerationConfig"],
    "language_model": ["LanguageModel", "load"],
    "predictor": ["CausalLM", "MaskedLM", "Predictor"],
    "openai_api": ["EndpointError", "NoLogProbabilities", "OpenAIModel"],
}
__all__ = [
    "CausalLM",
    "EndpointError",
    "GenerationConfig",
    "LanguageModel",
    "MaskedLM",
    "NoLogProbabilities",
    "OpenAIModel",
    "Predictor",
    "Sample",
    "TextModel",
    "load",
]
__getattr__, __dir__ = lazy_names(__name__, _NAMES)
