"""Importing inference loads torch and transformers, and nothing heavy beside them."""

import subprocess
import sys

#: Modules that take a good part of a second each, and that only some calls need.
HEAVY = (
    "accelerate",
    "datasets",
    "openai",
    "pandas",
    "peft",
    "pyarrow",
    "scipy.stats",
    "sklearn",
    "transformers.generation.utils",
    "transformers.modeling_utils",
    "transformers.models.auto.configuration_auto",
)
PROGRAM = """
import sys
from course.lm import CausalLM, GenerationConfig, LanguageModel, MaskedLM, TextModel, load
print(*(name for name in sys.argv[1:] if name in sys.modules))
"""


def test_importing_inference_leaves_heavy_modules_for_when_they_are_used():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *HEAVY], check=True, capture_output=True, text=True
    )
    assert done.stdout.split() == []
