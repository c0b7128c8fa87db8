"""Studies of instruction tuning: clusters held out in turn, the controls, what the effect depends
on; and the tuned model that ships.
"""

from collections.abc import Sequence
from dataclasses import replace

from course.finetuning.instruction_tuning import (
    AFTER,
    BASE,
    BEFORE,
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
from course.foundation.rng import Rng
from course.lm.language_model import LanguageModel, load
from course.prompting.in_context import accuracy, queries
from course.studies.records import Study

#: Numbers of clusters tuned on, beside all that are left when :data:`HELD_OUT` is held out.
BREADTHS = (1, 3, 6)
SIZES = ("gpt-small", "gpt-middle", "gpt-large")


def instruction_tuning(seed: int) -> dict:
    """Accuracies in percent, by cluster, of models tuned on instructions and of their bases."""
    bases = {name: load(name) for name in SIZES}
    large, middle, rest = (
        bases["gpt-large"],
        bases["gpt-middle"],
        Tuning(others(*HELD_OUT), seed=seed),
    )
    together = {name: tune(base, rest).model for name, base in bases.items()}
    bare = tune(large, replace(rest, control=Control.NONE)).model
    sizes = {
        name: {"base": _accuracy(bases[name], seed), "tuned": _accuracy(together[name], seed)}
        for name in SIZES
    }
    widest = sizes["gpt-middle"]["tuned"]
    return {
        "base": {
            "after": sizes["gpt-large"]["base"],
            "before": _accuracy(large, seed, form=BEFORE),
        },
        "in turn": {cluster: _held_out(large, cluster, seed) for cluster in HELD_OUT},
        "without instructions": {
            str(c): _accuracy(bare, seed, control=c) for c in (Control.INSTRUCTION, Control.NONE)
        },
        "sizes": sizes,
        "breadth": _by_breadth(middle, rest) | {str(len(rest.clusters)): widest},
        "wordings": _by_wordings(middle, rest)
        | {"3": _wordings(together["gpt-middle"], rest, widest)},
    }


def _accuracy(
    model: LanguageModel, seed: int, clusters: Sequence[str] = HELD_OUT, **asked
) -> dict[str, float]:
    return by_cluster(evaluate(model, clusters, seed=seed, **asked))


def _held_out(base: LanguageModel, cluster: str, seed: int) -> dict[str, float]:
    """Tuned on all clusters but one, asked about that one: with the instruction, with each control,
    and in the order of the corpus.
    """
    model = tune(base, Tuning(others(cluster), seed=seed)).model
    asked = {str(control): {"control": control} for control in Control} | {
        "before": {"form": BEFORE}
    }
    return {name: _accuracy(model, seed, [cluster], **how)[cluster] for name, how in asked.items()}


def _by_breadth(base: LanguageModel, rest: Tuning) -> dict[str, dict]:
    """By number of clusters tuned on; each set holds the smaller ones."""
    order = Rng(f"breadth/{rest.seed}").sample(rest.clusters, len(rest.clusters))
    return {
        str(n): _accuracy(tune(base, replace(rest, clusters=tuple(order[:n]))).model, rest.seed)
        for n in BREADTHS
    }


def _by_wordings(base: LanguageModel, rest: Tuning) -> dict[str, dict]:
    models = {n: tune(base, replace(rest, wordings=n)).model for n in (1, 2)}
    return {
        str(n): _wordings(model, rest, _accuracy(model, rest.seed)) for n, model in models.items()
    }


def _wordings(model: LanguageModel, rest: Tuning, held_out: dict[str, float]) -> dict[str, dict]:
    """The held-out clusters, and those tuned on in the last wording, which a model tuned on fewer
    than three has not seen.
    """
    return {
        "held out": held_out,
        "last wording": _accuracy(model, rest.seed, rest.clusters, wordings=(2,)),
    }


#: Tasks for which the tuned model is asked with demonstrations, and how many it is shown.
SHOWN_TASKS, SHOTS = (
    ("capital", "sentiment", "topic", "is_large", "add", "third_word", "dialect", "verdict"),
    4,
)


def tuned_model(seed: int) -> dict:
    """The shipped tuned model and its base: what they answer to each form of request, and with
    demonstrations instead.

    Each seed asks in another wording.
    """
    forms = {"after": AFTER, "before": BEFORE, "inline": INLINE}
    models = {name: load(name) for name in (BASE, TUNED)}
    return {
        name: {
            "forms": {
                form: mean_by_cluster(
                    evaluate(model, others(), form=text, wordings=(seed,), seed=seed)
                )
                for form, text in forms.items()
            },
            "in context": {
                task: 100 * accuracy(model, queries(task, SHOTS, 100, seed)) for task in SHOWN_TASKS
            },
        }
        for name, model in models.items()
    }


STUDIES = (
    Study("instruct", 1, SIZES, (0, 1, 2), instruction_tuning),
    Study("tuned", 1, (BASE, TUNED), (0, 1, 2), tuned_model),
)
