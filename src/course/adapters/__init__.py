"""Parameter-efficient fine-tuning (PEFT): LoRA, BitFit, prefix tuning, bottleneck adapters and full
fine-tuning behind one call, stored, switched and served alike.

Importing this package registers the methods that ``peft`` lacks with it, so that
``PeftModel.from_pretrained`` can read them.
"""

from course.adapters.methods import INPUT_METHODS, METHODS, Method, adapt, trainable

__all__ = ["INPUT_METHODS", "METHODS", "Method", "adapt", "trainable"]
