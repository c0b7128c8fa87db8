"""Studies of instruction tuning: clusters held out in turn, the controls, what the effect depends on; and the tuned model that ships."""

from dataclasses import replace

from course.in_context import accuracy, queries
from course.instruct import (
    AFTER,
    BASE,
    BEFORE,
    CHOSEN_BY,
    HELD_OUT,
    INLINE,
    TUNED,
    Control,
    Tuning,
    by_cluster,
    evaluate,
    mean_by_cluster,
    others,
    tune,
)
from course.lm import LanguageModel, load
from course.records import Study
from course.world.chance import Chance

#: Numbers of clusters tuned on; the last one is all that are left when :data:`HELD_OUT` is held out.
BREADTHS = (1, 3, 6, 10)
SIZES = ("gpt-small", "gpt-middle", "gpt-large")
#: Up to this step, and every so many steps, the choice of the steps was looked at.
LONGEST, EVERY = 80, 20


def instruction_tuning(seed: int) -> dict:
    """Accuracies in percent, by cluster, of models tuned on instructions and of their bases."""
    bases = {name: load(name) for name in SIZES}
    large, rest = bases["gpt-large"], Tuning(others(*HELD_OUT), seed=seed)
    together = {name: tune(base, rest).model for name, base in bases.items()}
    bare = tune(large, replace(rest, control=Control.NONE)).model
    return {
        "base": {form: _accuracy(large, HELD_OUT, seed, form=text) for form, text in (("after", AFTER), ("before", BEFORE))},
        "in turn": {cluster: _held_out(large, cluster, seed) for cluster in HELD_OUT},
        "without instructions": {str(c): _accuracy(bare, HELD_OUT, seed, c) for c in (Control.INSTRUCTION, Control.NONE)},
        "sizes": {
            name: {"base": _accuracy(bases[name], HELD_OUT, seed), "tuned": _accuracy(together[name], HELD_OUT, seed)} for name in SIZES
        },
        "breadth": _by_breadth(bases["gpt-middle"], together["gpt-middle"], rest),
        "wordings": _by_wordings(bases["gpt-middle"], together["gpt-middle"], rest),
        "steps": _by_steps(large, seed),
    }


def _accuracy(model: LanguageModel, held_out, seed: int, control: Control = Control.INSTRUCTION, form: str = AFTER, **kwargs) -> dict:
    return by_cluster(evaluate(model, held_out, control, form, seed=seed, **kwargs))


def _held_out(base: LanguageModel, cluster: str, seed: int) -> dict[str, float]:
    """Tuned on all clusters but one, asked about that one: with the instruction, with each control, and in the order of the corpus."""
    model = tune(base, Tuning(others(cluster), seed=seed)).model
    found = {str(control): _accuracy(model, [cluster], seed, control)[cluster] for control in Control}
    return found | {"before": _accuracy(model, [cluster], seed, form=BEFORE)[cluster]}


def _by_breadth(base: LanguageModel, widest: LanguageModel, rest: Tuning) -> dict[str, dict]:
    """By number of clusters tuned on; each set holds the smaller ones."""
    order = Chance(f"breadth/{rest.seed}").some(rest.clusters, len(rest.clusters))
    models = {n: tune(base, replace(rest, clusters=tuple(order[:n]))).model for n in BREADTHS if n < len(order)} | {len(order): widest}
    return {str(n): _accuracy(model, HELD_OUT, rest.seed) for n, model in models.items()}


def _by_wordings(base: LanguageModel, all_three: LanguageModel, rest: Tuning) -> dict[str, dict]:
    """By number of wordings tuned on: the held-out clusters, and the others in the last wording, which only the third number has seen."""
    models = {n: tune(base, replace(rest, wordings=n)).model for n in (1, 2)} | {3: all_three}
    return {
        str(n): {
            "held out": _accuracy(model, HELD_OUT, rest.seed),
            "last wording": _accuracy(model, rest.clusters, rest.seed, wordings=(2,)),
        }
        for n, model in models.items()
    }


def _by_steps(base: LanguageModel, seed: int) -> dict[str, float]:
    """By steps, on validation items of the clusters that the number of steps was chosen by."""
    tuned = tune(base, Tuning(others(*CHOSEN_BY), steps=LONGEST, seed=seed), validate_on=CHOSEN_BY, validate_every=EVERY)
    return {str(step): score for step, score in tuned.history.scores}


#: Tasks for which the tuned model is asked with demonstrations, and how many it is shown.
SHOWN_TASKS, SHOTS = ("capital", "sentiment", "topic", "is_large", "add", "third_word", "dialect", "verdict"), 4


def tuned_model(seed: int) -> dict:
    """The shipped tuned model and its base: what they answer to each form of request, and with demonstrations instead."""
    forms = {"after": AFTER, "before": BEFORE, "inline": INLINE}
    models = {name: load(name) for name in (BASE, TUNED)}
    return {
        name: {
            "forms": {form: mean_by_cluster(evaluate(model, others(), form=text, seed=seed)) for form, text in forms.items()},
            "in context": {task: 100 * accuracy(model, queries(task, SHOTS, 100, seed)) for task in SHOWN_TASKS},
        }
        for name, model in models.items()
    }


STUDIES = (
    Study("instruct", 1, SIZES, (0, 1, 2), instruction_tuning),
    Study("tuned", 1, (BASE, TUNED), (0, 1, 2), tuned_model),
)
