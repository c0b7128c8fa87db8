"""Prompt gradient: the derivative of a task's loss with respect to the embeddings of a prompt's
words.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from course.lm.language_model import LanguageModel
from course.prompting.evaluation import Question
from course.search.objective import Objective
from course.search.protocols import differentiable
from course.search.words import words_of


@dataclass(frozen=True)
class PromptGradient:
    """The loss of a prompt and its gradient.

    Attributes:
        losses: minus the log-probability of each item's answer (among the labels, if there are
            some), in nats, (items,).
        gradient: of their mean with respect to the embeddings of the prompt's words, (length,
            width).
    """

    losses: torch.Tensor
    gradient: torch.Tensor


def lookup(model: LanguageModel, ids: torch.Tensor) -> torch.Tensor:
    """The input embeddings of tokens, (tokens, width), in single precision."""
    return model.model.get_input_embeddings().weight.detach()[ids.to(model.model.device)].float()


def loss_and_gradient(
    model: LanguageModel, objective: Objective, numbers: Sequence[int], items: Sequence[int]
) -> PromptGradient:
    """The loss of a prompt on training items, and its gradient.

    Args:
        numbers: of the prompt's words, as :class:`course.search.words.Words` counts them,
            (length,).

    Raises:
        ValueError: if the prompt does not stand first in what the model reads, or its tokens are
            not those of its words.
    """
    words = words_of(model)
    questions = differentiable(objective).questions(words.prompt(numbers), items)
    ids = words.ids(numbers)
    table = model.model.get_input_embeddings()
    vectors = table(torch.tensor(ids, device=model.model.device)).detach().requires_grad_()
    losses = _losses(model, questions, ids, vectors)
    (gradient,) = torch.autograd.grad(losses.mean(), vectors)
    return PromptGradient(losses.detach().float().cpu(), gradient.float())


def _losses(
    model: LanguageModel, questions: Sequence[Question], ids: list[int], vectors: torch.Tensor
) -> torch.Tensor:
    """The loss of each question, (questions,), with ``vectors`` (length, width) in the place of the
    prompt's embeddings.
    """
    choices = [_choices(question) for question in questions]
    scores = iter(_scores(model, questions, choices, ids, vectors))
    losses = []
    for question, words in zip(questions, choices, strict=True):
        of_words = torch.stack([next(scores) for _ in words])  # (labels,) or (1,)
        right = words.index(question.continuation)
        losses.append(-(of_words.log_softmax(0) if len(words) > 1 else of_words)[right])
    return torch.stack(losses)


def _choices(question: Question) -> tuple[str, ...]:
    """The labels that a question's answer is one of; without labels, its right answer alone."""
    return question.prompt.candidates or (question.continuation,)


def _scores(
    model: LanguageModel,
    questions: Sequence[Question],
    choices: Sequence[tuple[str, ...]],
    ids: list[int],
    vectors: torch.Tensor,
) -> Iterator[torch.Tensor]:
    """The log-probability of each choice of each question, in their order, in nats."""
    pairs = model.encoder.pairs(
        [q.prompt.text for q, words in zip(questions, choices, strict=True) for _ in words],
        [word for words in choices for word in words],
    )
    # labels of one token each are all read off the same row
    distinct = dict.fromkeys(tuple(context + rest[:-1]) for context, rest in pairs)
    rows = {read: number for number, read in enumerate(distinct)}
    logits = _logits(model, list(rows), ids, vectors)
    for context, rest in pairs:
        row = logits[rows[tuple(context + rest[:-1])]]  # (longest, vocabulary)
        positions = torch.arange(len(context) - 1, len(context) + len(rest) - 1)
        yield row[positions].log_softmax(-1)[torch.arange(len(rest)), rest].sum()


def _logits(
    model: LanguageModel, rows: list[tuple[int, ...]], ids: list[int], vectors: torch.Tensor
) -> torch.Tensor:
    """Logits (rows, longest, vocabulary) of token rows that all have the prompt at the same place,
    padded on the right.
    """
    place = next((i for i in range(len(rows[0])) if list(rows[0][i : i + len(ids)]) == ids), None)
    if place is None or any(list(row[place : place + len(ids)]) != ids for row in rows):
        raise ValueError(
            "the prompt's tokens are not found at one place of all items:"
            " expected a template that begins with the instruction"
        )
    device, longest = model.model.device, max(map(len, rows))
    padded = torch.tensor([[*row, *[0] * (longest - len(row))] for row in rows], device=device)
    seen = torch.tensor(
        [[1] * len(row) + [0] * (longest - len(row)) for row in rows], device=device
    )
    read = model.model.get_input_embeddings()(padded).detach()
    here = vectors.to(read.dtype).expand(len(rows), -1, -1)
    embedded = torch.cat([read[:, :place], here, read[:, place + len(ids) :]], dim=1)
    return model.model(inputs_embeds=embedded, attention_mask=seen).logits.float()
