"""Which label a model gives: by its probabilities or, where a served model does not tell them, by what it writes."""

from collections.abc import Sequence

from course.lm import TextModel
from course.served import NoLogProbabilities


def choose(model: TextModel, prompts: Sequence[str], labels: Sequence[str]) -> list[str | None]:
    """The label that the model gives after each prompt; None if it wrote something else.

    Args:
        labels: as they follow the prompt, with the space before them: ``(" yes", " no")``.

    Raises:
        ValueError: for fewer than two labels, or equal ones.
    """
    if len(labels) < 2 or len({label.strip() for label in labels}) < len(labels):
        raise ValueError(f"labels {list(labels)}: expected two or more different ones")
    try:
        return [labels[int(best)] for best in model.score_labels(prompts, labels).argmax(1)]
    except NoLogProbabilities:
        longest = max(len(label.split()) for label in labels)
        # a word may take several tokens
        written = model.generate(prompts, max_tokens=8 * longest)
        return [match(samples[0].text, labels) for samples in written]


def match(text: str, labels: Sequence[str]) -> str | None:
    """The label with which a text begins, whole words and any case; the longest, if one begins another. None if there is none."""
    words = [word.strip(".,;:!?\"'()*").lower() for word in text.split()]
    for label in sorted(labels, key=lambda label: -len(label.split())):
        wanted = label.lower().split()
        if words[: len(wanted)] == wanted:
            return label
    return None
