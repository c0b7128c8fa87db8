"""Fine-tuning all parameters or a few: the methods of the lecture behind one call, stored, switched and served alike.

Importing this package registers the methods that ``peft`` lacks with it, so that ``PeftModel.from_pretrained`` can read them.
"""

import warnings

from course.adapters.methods import METHODS, Method, adapt, trainable

# this peft asks for a name that this transformers has renamed; readers can do nothing about it
warnings.filterwarnings("ignore", message="`is_gradient_checkpointing` is deprecated", category=FutureWarning)

__all__ = ["METHODS", "Method", "adapt", "trainable"]
