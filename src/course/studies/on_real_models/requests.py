"""Requests to a real model, with its chat template and without (chapter 4b): whether a reply is the
answer, and whether it has the answer in it.
"""

import re
from collections.abc import Sequence

import numpy as np

from course.lm.language_model import LanguageModel, load
from course.prompting.evaluation import MOST_TOKENS, Question, graded, questions
from course.prompting.prompts import PLAIN
from course.studies.on_real_models.questions import PRECISION
from course.studies.real_study import RealStudy
from course.studies.records import Row
from course.tasks.instruction_induction import induction_names, load_induction_task

#: Tokens of a reply to a request, and what is behind the name of a way whose replies only have to
#: contain the answer.
REPLY, IN_IT = 48, ": in it"


def replies_to(model: LanguageModel, asked: Sequence[Question]) -> list[str]:
    """What the model writes, :data:`REPLY` tokens at most."""
    written = model.generate([question.prompt.text for question in asked], max_tokens=REPLY)
    return [reply.text for (reply,) in written]


def answered(model: LanguageModel, asked: Sequence[Question], replies: Sequence[str]) -> float:
    """Percent of replies that are a right answer up to where
    :func:`course.prompting.evaluation.scores` stops a model that writes.
    """
    tokens = model.tokenizer([*replies], add_special_tokens=False).input_ids
    texts = [model.tokenizer.decode(ids[:MOST_TOKENS]) for ids in tokens]
    values = [
        graded(question, text.split(question.prompt.template.stop)[0])
        for question, text in zip(asked, texts, strict=True)
    ]
    return 100 * float(np.mean(values))


def contained(asked: Sequence[Question], replies: Sequence[str]) -> float:
    """Percent of replies in which a right answer stands, whatever is written around it; of an
    answer that is a set each member, in any order.
    """
    stands = [
        any(
            all(_stands_in(part, reply) for part in _parts(question, words))
            for words in question.words
        )
        for question, reply in zip(asked, replies, strict=True)
    ]
    return 100 * float(np.mean(stands))


def _parts(question: Question, answer: str) -> list[str]:
    return answer.split(",") if question.metric == "set" else [answer]


def _stands_in(answer: str, reply: str) -> bool:
    """Whether an answer stands in a reply as whole words, with or without the sign at its end."""
    words = r"\s+".join(map(re.escape, answer.strip(" .?!").split()))
    return re.search(rf"(?<!\w){words}(?!\w)", reply, re.IGNORECASE) is not None


def real_requests(seed: int, count: int = 20) -> list[Row]:
    """Instruction induction's tasks, asked with a person's instruction, of the tuned model with and
    without its chat template: whether the reply is the answer, as the benchmark wants it, and
    whether it has the answer in it.

    Returns:
        Rows with ``task``, ``way`` (with ``": in it"`` behind for the second) and ``value``
        (percent).
    """
    models = {
        "with the template": load("gpt-tuned", precision=PRECISION),
        "without": load("gpt-middle", precision=PRECISION),
    }
    rows: list[Row] = []
    for name in induction_names():
        task = load_induction_task(name)
        wording = task.instructions[seed % len(task.instructions)]
        asked = questions(task, 0, count, seed, template=PLAIN, instruction=wording)
        for way, model in models.items():
            replies = replies_to(model, asked)
            rows.append({"task": name, "way": way, "value": answered(model, asked, replies)})
            rows.append({"task": name, "way": f"{way}{IN_IT}", "value": contained(asked, replies)})
    return rows


STUDIES = (RealStudy("requests", 2, ("gpt-middle", "gpt-tuned"), (0, 1, 2), real_requests),)
