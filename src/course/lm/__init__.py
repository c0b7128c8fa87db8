"""Language-model inference: score and generate, tokenization, KV-cache prefill on a prefix tree,
decoding, OpenAI-compatible API.
"""

from course.foundation.lazy import lazy_names

_NAMES = {
    "language_model": ["LanguageModel", "Sample", "TextModel", "load"],
    "predictor": ["Predictor"],
    "openai_api": ["EndpointError", "NoLogProbabilities", "OpenAIModel"],
}
__all__ = [
    "EndpointError",
    "LanguageModel",
    "NoLogProbabilities",
    "OpenAIModel",
    "Predictor",
    "Sample",
    "TextModel",
    "load",
]
__getattr__, __dir__ = lazy_names(__name__, _NAMES)
