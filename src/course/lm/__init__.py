"""Language-model inference: score and generate, tokenization, KV-cache prefill on a prefix tree,
decoding, OpenAI-compatible API.
"""

from course.foundation.lazy import lazy_names

__all__, __getattr__, __dir__ = lazy_names(
    __name__,
    {
        "contract": ["Sample", "TextModel"],
        "generation_config": ["GenerationConfig"],
        "language_model": ["LanguageModel", "load"],
        "predictor": ["CausalLM", "MaskedLM", "Predictor"],
        "openai_api": ["EndpointError", "NoLogProbabilities", "OpenAIModel"],
    },
)
