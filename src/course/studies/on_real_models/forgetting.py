"""What tuning makes a real model forget: tasks that it could do before, plain text, and how it goes
on with a text (chapter 1).
"""

from course.lm.language_model import LanguageModel, load
from course.prompting.evaluation import questions
from course.prompting.prompts import PLAIN
from course.studies.on_real_models.questions import ASKED, PRECISION, right, with_instruction
from course.studies.on_real_models.requests import contained, replies_to
from course.studies.on_real_models.specialist import (
    SPECIALIST_LABELS,
    lora_specialist,
    nats_of_plain_text,
    plain_texts,
)
from course.studies.real_study import SEEDS, RealStudy
from course.studies.records import Row
from course.studies.tables import rows_of
from course.tasks.instruction_induction import load_induction_task
from course.tasks.registry import load_task

#: Tasks of instruction induction of which the model had the answer to a third of the requests or
#: more in its replies, without its chat template (the study ``requests``); without sentiment, which
#: it is tuned for.
REMEMBERED = (
    "cause_and_effect",
    "larger_animal",
    "orthography_starts_with",
    "rhymes",
    "word_in_context",
)
#: Requests of each task, and what is added to the seed that draws them: these are not those by
#: which the tasks were picked.
REQUESTED, OTHER_ITEMS = 20, 100
#: Texts that the model goes on with, and tokens of what it writes.
BEGINNINGS = (
    "The capital of France is",
    "Once upon a time there was a",
    "To make a cup of tea,",
    "The film was",
    "Question: What is a dog? Answer:",
)
WRITTEN = 24
#: The model before it was tuned and after.
BEFORE, AFTER = "before", "after"


def kept(model: LanguageModel, seed: int) -> dict[str, float]:
    """Percent of requests of each task whose answer stands in the reply, and plain text in nats a
    token.
    """
    measures = {}
    for name in REMEMBERED:
        task = load_induction_task(name)
        wording = task.instructions[seed % len(task.instructions)]
        asked = questions(
            task, 0, REQUESTED, seed + OTHER_ITEMS, template=PLAIN, instruction=wording
        )
        measures[name] = contained(asked, replies_to(model, asked))
    return measures | {"plain text": nats_of_plain_text(model, plain_texts(seed))}


def what_is_forgotten(seed: int) -> list[Row]:
    """The LLM before and after LoRA on the most film snippets: on those, on tasks that it could do
    before, on plain text, and its likeliest continuations of some texts.

    Returns:
        Rows with ``way`` (:data:`BEFORE`, :data:`AFTER`), ``measure`` and ``value``; and with
        ``way``, ``measure`` ``"text"``, ``prompt`` and ``text``.
    """
    base = load("gpt-middle", precision=PRECISION)
    snippets = with_instruction(load_task("sentiment", seed=seed), 0, ASKED, seed)
    models = {BEFORE: base, AFTER: lora_specialist(base, SPECIALIST_LABELS[-1], seed)}
    rows: list[Row] = []
    for way, model in models.items():
        rows += rows_of({"film snippets": right(model, snippets)} | kept(model, seed), way=way)
        written = model.generate(BEGINNINGS, max_tokens=WRITTEN)
        rows += [
            {"way": way, "measure": "text", "prompt": beginning, "text": sample.text}
            for beginning, (sample,) in zip(BEGINNINGS, written, strict=True)
        ]
    return rows


STUDIES = (
    RealStudy("forgetting", 1, ("gpt-middle",), SEEDS, what_is_forgotten, ("sentiment", "problem")),
)
