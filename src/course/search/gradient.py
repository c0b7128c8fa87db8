"""Searching by the gradient: AutoPrompt (Shin et al. 2020) and PEZ (Wen et al. 2023).

Words cannot be moved a little, but their embeddings can. The gradient of the loss with respect to
the embedding of a prompt's word says in which direction the model would like that word to move;
both methods look for words that lie there.
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
from course.search.words import Words, words_of


@dataclass(frozen=True)
class AutoPrompt(Method):
    """Swap one word at a time, for the best of those that the gradient proposes.

    A step draws one of the prompt's words and takes the gradient on some training items. To first
    order, another word with embedding :math:`e'` instead of :math:`e` changes the loss by
    :math:`(e' - e) \\cdot \\nabla_e` (HotFlip, Ebrahimi et al. 2018). The ``tried`` words for which
    this is smallest, less what the objective says that a word is worth by itself (its fluency,
    say), are tried on other training items, and the best one stays if it beats the prompt as it was
    there.

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

    def __post_init__(self):
        check_fields(
            self, length=integer(1), tried=integer(1), batch=integer(1), guided=boolean(), most_steps=integer(1)
        )  # fmt: skip

    @property
    def title(self) -> str:
        return "AutoPrompt" if self.guided else "random swaps"

    def run(self, evaluator: BudgetedEvaluator, seed: int) -> None:
        words, rng = words_of(evaluator.model), Rng(f"{self.title}/{seed}")
        current = [rng.randrange(len(words.texts)) for _ in range(self.length)]
        best = evaluator.values([words.prompt(current)]).mean()
        evaluator.report(words.prompt(current), best)
        items, count = range(evaluator.objective.size), min(self.batch, evaluator.objective.size)
        for _ in range(self.most_steps):
            place = rng.randrange(self.length)
            proposed = self._proposed(
                evaluator, words, current, place, rng.sample(items, count), rng
            )
            prompts = [
                words.prompt([*current[:place], word, *current[place + 1 :]])
                for word in (current[place], *proposed)
            ]
            winner = int(evaluator.values(prompts, rng.sample(items, count)).mean(1).argmax())
            if winner:
                current[place] = proposed[winner - 1]
                if (score := evaluator.values([prompts[winner]]).mean()) > best:
                    best = score
                    evaluator.report(prompts[winner], best)

    def _proposed(
        self,
        evaluator: BudgetedEvaluator,
        words: Words,
        current: list[int],
        place: int,
        items: list[int],
        rng: Rng,
    ) -> list[int]:
        if not self.guided:
            return rng.sample(
                [word for word in range(len(words.texts)) if word != current[place]], self.tried
            )
        evaluator.spend(GRADIENT_CALLS * len(items))
        found = loss_and_gradient(evaluator.model, evaluator.objective, current, items)
        ids = words.later if place else words.first
        worth = evaluator.objective.worth(
            evaluator.model, words.prompt(current[:place]), ids, self.length
        )
        change = swaps(evaluator.model, place, found.gradient[place]) - worth
        change[current[place]] = float("inf")
        return change.argsort()[: self.tried].tolist()


def swaps(model: LanguageModel, place: int, gradient: torch.Tensor) -> torch.Tensor:
    """To first order, by how much each word at a place of a prompt would change the loss, up to a
    constant, (words,), in nats.

    Args:
        gradient: with respect to the embedding at that place, (width,).
    """
    words = words_of(model)
    return (lookup(model, words.later if place else words.first) @ gradient).cpu()


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
        model, [question for text in texts for question in objective.questions(text, items)]
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

    def __post_init__(self):
        check_fields(
            self, length=integer(1), batch=integer(1), learning_rate=number(above=0), decay=number(0), most_steps=integer(1)
        )  # fmt: skip

    def run(self, evaluator: BudgetedEvaluator, seed: int) -> None:
        words, rng = words_of(evaluator.model), Rng(f"{self.title}/{seed}")
        tables = [
            lookup(evaluator.model, words.later if place else words.first)
            for place in range(self.length)
        ]
        directions = [torch.nn.functional.normalize(table, dim=-1) for table in tables]
        start = [rng.randrange(len(words.texts)) for _ in range(self.length)]
        vectors = (
            torch.stack([table[word] for table, word in zip(tables, start, strict=True)])
            .clone()
            .requires_grad_()
        )
        learning_rate = self.learning_rate * float(tables[-1].square().mean().sqrt())
        optimizer = torch.optim.AdamW([vectors], lr=learning_rate, weight_decay=self.decay)
        best, items, count = (
            float("-inf"),
            range(evaluator.objective.size),
            min(self.batch, evaluator.objective.size),
        )
        for _ in range(self.most_steps):
            nearest = [
                int((table @ vector).argmax())
                for table, vector in zip(directions, vectors.detach(), strict=True)
            ]
            prompt = words.prompt(nearest)
            if (score := evaluator.values([prompt]).mean()) > best:
                best = score
                evaluator.report(prompt, best)
            evaluator.spend(GRADIENT_CALLS * count)
            vectors.grad = loss_and_gradient(
                evaluator.model, evaluator.objective, nearest, rng.sample(items, count)
            ).gradient
            optimizer.step()
