"""Styles of prompts: standard, chain of thought, zero-shot, trigger phrase, and controls that take
one part of a chain away.

Standard and chain-of-thought prompting and the controls on filler and order are those of Wei et al.
2022, the trigger phrase is that of Kojima et al. 2022.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from course.prompting.prompts import Prompt
from course.reasoning.problems import Problem, Wording
from course.world.example import Example

#: Style -> what it shows. The first two show demonstrations, the next two none; the last three are
#: controls.
STYLES = {
    "standard": "demonstrations with the answer alone",
    "chain": "demonstrations with their steps, then the answer",
    "zero-shot": "no demonstrations; the answer is begun",
    "trigger": "no demonstrations; the trigger phrase",
    "shuffled": "demonstrations, each with the steps of another one",
    "filler": "demonstrations and the answer, with a full stop in place of each word of the steps",
    "answer first": "demonstrations with the answer, then the steps",
}
WITHOUT_DEMONSTRATIONS = ("zero-shot", "trigger")


@dataclass(frozen=True)
class ProblemPrompt:
    """A prompt and the problem in it.

    Attributes:
        problem: which problem the prompt asks.
        text: the whole prompt.
        stop: the text at which a solution ends.
    """

    problem: Problem
    text: str
    stop: str


def make_prompt(
    problem: Problem,
    style: str,
    worded: Wording,
    shown: Sequence[Problem] = (),
    trigger: str | None = None,
) -> ProblemPrompt:
    """The prompt for a problem in one of :data:`STYLES`.

    Args:
        shown: the demonstrations, for the styles that have some.
        trigger: another trigger phrase than the usual one.

    Raises:
        ValueError: for an unknown style, without demonstrations where some are needed, or with one
            alone where steps are shuffled.
    """
    if style not in STYLES:
        raise ValueError(f"no style {style!r}; choose from {', '.join(STYLES)}")
    bare = style in WITHOUT_DEMONSTRATIONS
    least = 0 if bare else 2 if style == "shuffled" else 1
    if len(shown) < least:
        raise ValueError(
            f"style {style!r} with {len(shown)} demonstrations: expected at least {least}"
        )
    cue = {
        "zero-shot": worded.announce,
        "trigger": worded.trigger if trigger is None else trigger,
        # a model that is free to write steps writes them, whatever the demonstrations show
        "filler": f"{_filler(problem, worded)} {worded.announce}",
    }.get(style, "")
    outputs = [] if bare else _outputs(style, worded, shown)
    examples = tuple(Example(p.question, output) for p, output in zip(shown, outputs, strict=False))
    prompt = Prompt(problem.question, examples, template=worded.template)
    return ProblemPrompt(
        problem, f"{prompt.text} {cue}" if cue else prompt.text, prompt.template.stop
    )


def solution(problem: Problem, worded: Wording) -> str:
    """The worked solution: the steps, then the answer."""
    return f"{_chain(problem.steps, worded)} {_stated(problem, worded)}"


def _outputs(style: str, worded: Wording, shown: Sequence[Problem]) -> list[str]:
    """What each demonstration shows as its solution."""
    if style == "standard":
        return [_stated(p, worded) for p in shown]
    if style == "answer first":
        return [f"{_stated(p, worded)} {_chain(p.steps, worded)}" for p in shown]
    if style == "filler":
        return [f"{_filler(p, worded)} {_stated(p, worded)}" for p in shown]
    if style == "shuffled":
        return [
            f"{_chain(other.steps, worded)} {_stated(p, worded)}"
            for p, other in zip(shown, [*shown[1:], shown[0]], strict=True)
        ]
    return [solution(p, worded) for p in shown]


def _stated(problem: Problem, worded: Wording) -> str:
    return f"{worded.announce} {problem.output}{worded.end}"


def _filler(problem: Problem, worded: Wording) -> str:
    return " ".join("." for _ in _chain(problem.steps, worded).split())


def _chain(steps: Sequence[str], worded: Wording) -> str:
    return " ".join(step if step.endswith(".") else f"{step}{worded.end}" for step in steps)
