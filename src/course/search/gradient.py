"""Gradient-based prompt search: AutoPrompt (Shin et al. 2020) and PEZ (Wen et al. 2023).

Words are discrete, but their embeddings are vectors. The gradient of the loss with respect to the
embedding of a word tells in which direction the loss falls; both methods look for words there.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from course.foundation.rng import Rng
from course.foundation.validation import boolean, check_fields, integer, number
from course.lm.language_model import LanguageModel
from course.search.base import Method
from course.search.budget import GRADIENT_CALLS, BudgetedEvaluator
from course.search.objective import Objective, likelihoods
from course.search.prompt_gradient import lookup, loss_and_gradient
from course.search.protocols import differentiable
from course.search.words import opened, words_of


@dataclass(frozen=True)
class AutoPrompt(Method):
    """Swap one word at a time, for the best of those that the gradient proposes.

    A step draws one of the prompt's words and takes the gradient on some training items. To first
    order, another word with embedding :math:`e'` instead of :math:`e` changes the loss by
    :math:`(e' - e) \\cdot \\nabla_e` (HotFlip, Ebrahimi et al. 2018). The ``tried`` words for which
    this is smallest (less the value of the word itself, e.g. its fluency) are tried on other
    training items. The best one is kept if it beats the word that it replaces.

    Attributes:
        length: words of the prompt; it begins with random ones.
        tried: candidates of a step.
        batch: training items of a gradient, and of a comparison.
        guided: whether the gradient proposes; if not, chance does (the control), and a step costs
            less.
        most_steps: when to stop if the budget has not been spent by then.
    """

    length: int = 4
    tried: int = 10
    batch: int = 16
    guided: bool = True
    most_steps: int = 2000

    def __post_init__(self) -> None:
        check_fields(
            self,
            length=integer(1),
            tried=integer(1),
            batch=integer(1),
            guided=boolean(),
            most_steps=integer(1),
        )

    @property
    def title(self) -> str:
        return "AutoPrompt" if self.guided else "random swaps"

    def run(self, evaluator: BudgetedEvaluator, seed: int) -> None:
        words, rng = words_of(evaluator.model), Rng(f"{self.title}/{seed}")
        current = [rng.randrange(len(words.texts)) for _ in range(self.length)]
        best = evaluator.report_if_better(words.prompt(current), float("-inf"))
        items, count = range(evaluator.objective.size), min(self.batch, evaluator.objective.size)
        for _ in range(self.most_steps):
            place = rng.randrange(self.length)
            proposed = self._proposed(evaluator, current, place, rng.sample(items, count), rng)
            kept = best_swap(evaluator, current, place, proposed, rng.sample(items, count))
            if kept != current:
                best = evaluator.report_if_better(words.prompt(kept), best)
            current = kept

    def _proposed(
        self,
        evaluator: BudgetedEvaluator,
        current: list[int],
        place: int,
        items: list[int],
        rng: Rng,
    ) -> list[int]:
        if not self.guided:
            every = range(len(words_of(evaluator.model).texts))
            return rng.sample([word for word in every if word != current[place]], self.tried)
        evaluator.spend(GRADIENT_CALLS * len(items))
        model = opened(evaluator.model)
        return proposals(model, evaluator.objective, current, place, items, self.tried)


def proposals(
    model: LanguageModel,
    objective: Objective,
    prompt: Sequence[int],
    place: int,
    items: Sequence[int],
    count: int,
) -> list[int]:
    """The words that the gradient proposes for a position of a prompt, the best first.

    Args:
        prompt: numbers of its words, as :class:`course.search.words.Words` counts them.
        place: position of the word that is swapped.
        items: numbers of the training items that the gradient is taken on.
        count: how many words.

    Returns:
        ``count`` numbers of words other than the one that stands there.

    Raises:
        ValueError: as :func:`course.search.prompt_gradient.loss_and_gradient`.
    """
    words = words_of(model)
    gradient = loss_and_gradient(model, objective, prompt, items).gradient[place]
    before, ids = words.prompt(prompt[:place]), words.ids_at(place)
    change = swaps(model, place, gradient)
    change = change - differentiable(objective).word_values(model, before, ids, len(prompt))
    change[prompt[place]] = float("inf")
    return change.argsort()[:count].tolist()


def best_swap(
    evaluator: BudgetedEvaluator,
    prompt: list[int],
    place: int,
    proposed: Sequence[int],
    items: Sequence[int],
) -> list[int]:
    """The best on some training items of a prompt and the same with another word at a position.

    Args:
        prompt: numbers of its words.
        proposed: numbers of the words that are tried there.
        items: numbers of the training items.
    """
    words = words_of(evaluator.model)
    tried = [[*prompt[:place], w, *prompt[place + 1 :]] for w in (prompt[place], *proposed)]
    values = evaluator.values([words.prompt(numbers) for numbers in tried], items)
    return tried[int(values.mean(1).argmax())]


def swaps(model: LanguageModel, place: int, gradient: torch.Tensor) -> torch.Tensor:
    """To first order, by how much each word at a position of a prompt would change the loss, up to
    a constant, (words,), in nats.

    Args:
        gradient: with respect to the embedding at that position, (width,).
    """
    return (lookup(model, words_of(model).ids_at(place)) @ gradient).cpu()


def guessed_and_true(
    model: LanguageModel,
    objective: Objective,
    prompt: Sequence[int],
    place: int,
    tried: Sequence[int],
    items: Sequence[int],
) -> tuple[np.ndarray, np.ndarray]:
    """How swapping one word changes the mean loss, to first order and truly, (tried,) each, in
    nats.

    Args:
        prompt: numbers of its words.
        place: of the word that is swapped.
        tried: numbers of the words that are put there.
        items: numbers of the training items.
    """
    words, now = words_of(model), loss_and_gradient(model, objective, prompt, items)
    guessed = swaps(model, place, now.gradient[place])
    texts = [words.prompt([*prompt[:place], word, *prompt[place + 1 :]]) for word in tried]
    losses = -likelihoods(
        model, [q for text in texts for q in differentiable(objective).questions(text, items)]
    )
    true = losses.reshape(len(tried), len(items)).mean(1) - now.losses.mean().item()
    return (guessed - guessed[prompt[place]])[list(tried)].numpy(), true


@dataclass(frozen=True)
class Pez(Method):
    """Move vectors by the gradient *at the words nearest to them*.

    Each place of the prompt has a vector. A step projects the vectors onto the nearest words (by
    cosine), takes the gradient there, on words, and moves the vectors, not the words, by it. So
    small steps add up until another word is nearer. Of all prompts on the way the best one by the
    training items is kept.

    Attributes:
        length: words of the prompt; the vectors begin on random ones.
        batch: training items of a step.
        learning_rate: of AdamW, in units of the embeddings' root mean square.
        decay: its weight decay.
        most_steps: when to stop if the budget has not been spent by then.
    """

    length: int = 4
    batch: int = 16
    learning_rate: float = 1.0
    decay: float = 0.1
    most_steps: int = 2000
    title = "PEZ"

    def __post_init__(self) -> None:
        check_fields(
            self,
            length=integer(1),
            batch=integer(1),
            learning_rate=number(above=0),
            decay=number(0),
            most_steps=integer(1),
        )

    def run(self, evaluator: BudgetedEvaluator, seed: int) -> None:
        model, rng = opened(evaluator.model), Rng(f"{self.title}/{seed}")
        words, size = words_of(model), evaluator.objective.size
        tables = [lookup(model, words.ids_at(place)) for place in range(self.length)]
        directions = [torch.nn.functional.normalize(table, dim=-1) for table in tables]
        vectors = self._start(tables, rng)
        optimizer = self._optimizer(vectors, tables[-1])
        best = float("-inf")
        for _ in range(self.most_steps):
            nearest = [
                int((table @ vector).argmax())
                for table, vector in zip(directions, vectors.detach(), strict=True)
            ]
            best = evaluator.report_if_better(words.prompt(nearest), best)
            items = rng.sample(range(size), min(self.batch, size))
            evaluator.spend(GRADIENT_CALLS * len(items))
            # the gradient at the words moves the vectors
            vectors.grad = loss_and_gradient(model, evaluator.objective, nearest, items).gradient
            optimizer.step()

    def _start(self, tables: Sequence[torch.Tensor], rng: Rng) -> torch.Tensor:
        """The embeddings of random words, (length, width)."""
        rows = [table[rng.randrange(len(table))] for table in tables]
        return torch.stack(rows).clone().requires_grad_()

    def _optimizer(self, vectors: torch.Tensor, table: torch.Tensor) -> torch.optim.Optimizer:
        learning_rate = self.learning_rate * float(table.square().mean().sqrt())
        return torch.optim.AdamW([vectors], lr=learning_rate, weight_decay=self.decay)
