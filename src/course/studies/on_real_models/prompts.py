"""Prompts for a real model that people, the model itself and searches write (chapter 6)."""

from course.lm.language_model import load
from course.prompting.prompts import PLAIN
from course.search import soft
from course.search.base import SearchResult, search
from course.search.baselines import Exhaustive
from course.search.gradient import AutoPrompt
from course.search.objective import answers
from course.search.writers import AskedWriter
from course.search.writing import WrittenPrompts
from course.studies.on_real_models.questions import ASKED, PRECISION
from course.studies.real_study import SEEDS, RealStudy
from course.studies.records import Row
from course.tasks.instruction_induction import induction_names, load_induction_task
from course.tasks.registry import load_task

#: Every third task of instruction induction, by name, is searched for instructions.
SEARCHED = slice(None, None, 3)
#: Model calls of AutoPrompt, and of the same swaps without its gradient.
SWAP_CALLS = 750


def real_prompts(seed: int, budget: int = 160) -> list[Row]:
    """Instructions that the model writes itself against people's, on some of instruction
    induction's tasks; and on sentiment people's words, words that AutoPrompt finds with its
    gradient and without it, and a soft prompt.

    Returns:
        Rows with ``task``, ``way``, ``value`` (percent right on test items) and ``calls``.
    """
    model = load("gpt-middle", precision=PRECISION)
    writer = AskedWriter(load("gpt-tuned", precision=PRECISION))
    rows: list[Row] = []
    for name in induction_names()[SEARCHED]:
        task = load_induction_task(name)
        items = answers(task, 8, 20, seed, template=PLAIN)
        for way, method in {
            "written": WrittenPrompts(writer, count=12),
            "people's": Exhaustive(task.instructions[:8]),
        }.items():
            result = search(method, items, model, budget, seed)
            row: Row = {"task": name, "way": way, "value": result.held_out, "calls": result.calls}
            rows.append(row)
    reviews = load_task("sentiment", seed=seed)
    items = answers(reviews, 64, ASKED, seed, measure="likelihood", template=PLAIN)
    words = search(Exhaustive(reviews.instructions), items, model, 64 * 8, seed)
    swapped = {
        method.title: search(method, items, model, SWAP_CALLS, seed)
        for method in (AutoPrompt(batch=8), AutoPrompt(batch=8, guided=False))
    }
    eight = soft.SoftPromptSettings("prompt", length=8, steps=30)
    vectors: SearchResult = soft.learn(eight, items, model, seed)
    for way, result in {"people's": words, **swapped, "soft prompt": vectors}.items():
        named: Row = {"task": "sentiment", "way": way}
        rows.append(named | {"value": result.held_out, "calls": result.calls})
    return rows


STUDIES = (
    RealStudy("prompts", 1, ("gpt-middle", "gpt-tuned"), SEEDS, real_prompts, ("sentiment",)),
)
