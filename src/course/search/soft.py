r"""Soft prompts: prompt tuning, P-tuning and prefix tuning, with LoRA beside them.

A prompt of $m$ words is a matrix of $m$ embeddings, in which each row is that of a word. Without
that condition the prompt $P \in \mathbb{R}^{m \times d}$ can be learned like any parameter, with
the model frozen:

$$\min_P \; -\sum_{(x, y)} \log p(y \mid [P; e(x)]).$$

Prompt tuning (Lester et al. 2021) learns $P$ itself, P-tuning (Liu et al. 2021) learns it through a
small network, prefix tuning (Li and Liang 2021) learns keys and values for every layer instead. All
three come from ``peft``. The model has no head: it goes on with the answer word after the query, as
in any prompt. The items and their labels are those of a search for words,
:class:`course.search.Answers`.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from peft import PeftModel
from tokenizers import processors
from transformers import PreTrainedModel

from course.adapters import INPUT_METHODS, METHODS, adapt
from course.adapters.prefix import start_prefix_from
from course.adapters.storage import bytes_on_disk
from course.foundation.validation import (
    anything,
    check_fields,
    each,
    integer,
    number,
    one_of,
    optional,
)
from course.lm.language_model import LanguageModel
from course.models.hub import tier
from course.models.peft_wrapper import num_virtual_tokens
from course.models.text import text_ids
from course.prompting.evaluation import Question
from course.search.base import SearchResult
from course.search.budget import GRADIENT_CALLS, Step
from course.search.objective import Answers, instructed
from course.training.completion_data import Completions, completions
from course.training.fit_settings import FitSettings
from course.training.fitting import fit
from course.training.history import History

#: What is learned: three kinds of soft prompt, and LoRA beside them, which changes the model's
#: matrices.
SOFT = INPUT_METHODS | {"prefix": METHODS["prefix"]}
LEARNABLE = SOFT | {"lora": METHODS["lora"]}
_USUAL = {"prompt": 3e-2, "p_tuning": 1e-3, "prefix": 5e-3, "lora": 3e-4}
#: Tier -> method -> peak learning rate. Those of the shipped models were chosen on validation items
#: (for the middle one). A prompt has few parameters and far to go: it takes large steps. Those for
#: real models are of the usual order and were not measured.
RATES = {
    "tiny": {"prompt": 1e-1, "p_tuning": 1e-2, "prefix": 1e-1, "lora": 3e-3},
    "index": _USUAL,
    "hub": _USUAL,
}


@dataclass(frozen=True)
class SoftPromptSettings:
    """Settings of a soft prompt or LoRA and of its training.

    Attributes:
        method: a key of :data:`LEARNABLE`.
        length: how many vectors; nothing to LoRA.
        start: where they begin: a text (its tokens, the one that begins a text included, over and
            over until all vectors are filled), ids of tokens, or None for vectors drawn at random.
            P-tuning, whose vectors come out of a network, and LoRA have no use for it.
        steps: of the optimiser.
        learning_rate: their peak learning rate (default: that of the tier and the method in
            :data:`RATES`).
        batch_size: training items of a step; all of them, if there are no more.
        looks: how often at most, evenly over the steps, all training items are tried, beside once
            before the first step; the best vectors by them are kept.
    """

    method: str = "prompt"
    length: int = 8
    start: str | tuple[int, ...] | None = None
    steps: int = 60
    learning_rate: float | None = None
    batch_size: int = 32
    looks: int = 6

    def __post_init__(self) -> None:
        check_fields(
            self,
            method=one_of(LEARNABLE),
            length=integer(1),
            start=anything(),
            steps=integer(1),
            learning_rate=optional(number(above=0)),
            batch_size=integer(1),
            looks=integer(1),
        )
        if self.start is not None and (self.method not in ("prompt", "prefix") or not self.start):
            raise ValueError(
                f"start={self.start!r} for {self.method!r}:"
                " only prompt and prefix tuning can begin as a text of some words"
            )
        if not isinstance(self.start, str | None):
            each(integer(0))("start", self.start)
        if self.looks > self.steps:
            raise ValueError(f"looks={self.looks}: expected 1 to {self.steps}, the number of steps")

    @property
    def title(self) -> str:
        """Its name in figures."""
        return LEARNABLE[self.method].title


@dataclass(frozen=True)
class TunedPrompt(SearchResult):
    """A tuned soft prompt or LoRA: a search result whose prompt is no text.

    Attributes:
        model: answers with what was learned; the words of a prompt for it are empty.
        history: how the training went.
    """

    model: LanguageModel
    history: History

    def stored(self) -> int:
        """Bytes on disk of what was learned, without the model that it is for."""
        return bytes_on_disk(self.model.model)


def learn(
    settings: SoftPromptSettings, objective: Answers, model: LanguageModel, seed: int = 0
) -> TunedPrompt:
    """Tune on the training items of an objective by gradient, then score its test items.

    The model's parameters stay as they were; soft prompts share them, so that they are frozen from
    then on. A call is counted for every training item that is tried, :data:`GRADIENT_CALLS` for
    every one that a gradient is taken of.

    Args:
        seed: of what is drawn at the start, and of the order of the items.

    Raises:
        ValueError: if an item does not fit into the window beside the vectors.
    """
    settings = replace(settings, batch_size=min(settings.batch_size, objective.size))
    adapted = _prepared(settings, model, seed)
    tuned = _behind(adapted, model)
    every = -(-settings.steps // settings.looks)
    steps: list[Step] = []

    def validate(_: PreTrainedModel) -> float:
        steps.append(_step(settings, objective, tuned, len(steps), every))
        return steps[-1].score

    data = _data(objective.train, tuned)
    history = fit(adapted, data, _fit_settings(settings, every, seed), validate, bar=False)
    return TunedPrompt(settings.title, _best_so_far(steps), steps[-1].calls, tuned, history)


def _step(
    settings: SoftPromptSettings, objective: Answers, tuned: LanguageModel, number: int, every: int
) -> Step:
    """What is learned so far on training and test items, with the model calls until then."""
    gradients = GRADIENT_CALLS * settings.batch_size * min(number * every, settings.steps)
    calls = gradients + (number + 1) * objective.size
    pairs = [("", item) for item in range(objective.size)]
    score = float(objective.values(tuned, pairs).mean())
    return Step(calls, "", score, objective.held_out(tuned, ""))


def _fit_settings(settings: SoftPromptSettings, every: int, seed: int) -> FitSettings:
    usual = RATES[tier()][settings.method]
    return FitSettings(
        steps=settings.steps,
        batch_size=settings.batch_size,
        learning_rate=usual if settings.learning_rate is None else settings.learning_rate,
        weight_decay=0.0,
        seed=seed,
        validate_every=every,
        precision="fp32",
    )


def _best_so_far(steps: Sequence[Step]) -> tuple[Step, ...]:
    """The looks at which the score on training items was higher than ever before."""
    return tuple(
        step
        for i, step in enumerate(steps)
        if all(step.score > before.score for before in steps[:i])
    )


def _prepared(settings: SoftPromptSettings, model: LanguageModel, seed: int) -> PeftModel:
    """The model with something fresh to learn."""
    body = model.model
    # LoRA is put into the model, and gradients vanish in float16; a soft prompt stands before a
    # model that others may share
    if settings.method not in SOFT or body.dtype == torch.float16:
        body = copy.deepcopy(body).float()
    options: dict[str, Any] = {"length": settings.length} if settings.method in SOFT else {}
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        adapted = adapt(body, settings.method, **options).to(body.device)
    if settings.start is not None:
        ids = (
            text_ids(model.tokenizer, [settings.start])[0]
            if isinstance(settings.start, str)
            else settings.start
        )
        start_from(adapted, ids)
    return adapted.eval()


def _behind(adapted: PeftModel, model: LanguageModel) -> LanguageModel:
    """An adapted model with its tokenizer, which puts no token of its own before the vectors."""
    tokenizer = model.tokenizer
    if num_virtual_tokens(adapted) and tokenizer("").input_ids:
        tokenizer = copy.deepcopy(tokenizer)
        tokenizer.backend_tokenizer.post_processor = processors.Sequence([])
    return LanguageModel(adapted, tokenizer, model.batch_tokens, model.encoder.chat)


def _data(train: Sequence[Question], tuned: LanguageModel) -> Completions:
    """The items without an instruction, with their answers and what the layout puts behind them."""
    pairs = []
    for question in train:
        prompt = instructed(question, "").prompt
        query, layout = prompt.query, prompt.template
        behind = layout.shown(query, question.words[0])[len(layout.query(query)) :]
        pairs.append((prompt.text, behind.strip(" ")))
    data = completions(tuned.tokenizer, pairs)
    if (longest := max(data.tokens)) > tuned.window:
        raise ValueError(
            f"an item has {longest} tokens, and beside {num_virtual_tokens(tuned.model)} vectors"
            f" the window holds {tuned.window}; "
            "take fewer vectors or shorter items"
        )
    return data


def start_from(model: PeftModel, ids: Sequence[int]) -> None:
    """Let a prompt begin as the embeddings, or a prefix as the keys and values, of a text: its
    tokens over and over until it is filled.

    Raises:
        ValueError: for no tokens, or for another method.
    """
    length = num_virtual_tokens(model)
    if not ids or not length:
        raise ValueError(
            f"{len(ids)} tokens to begin {length} vectors with: expected at least one of each"
        )
    repeated = torch.tensor([ids[i % len(ids)] for i in range(length)], device=model.device)
    kind = model.active_peft_config.peft_type
    if kind == "PREFIX_TUNING":
        start_prefix_from(model, repeated)
    elif kind == "PROMPT_TUNING":
        with torch.no_grad():
            model.prompt_encoder[model.active_adapter].embedding.weight.copy_(
                model.get_input_embeddings()(repeated)
            )
    else:
        raise ValueError(f"{kind} cannot begin as a text: expected prompt tuning or prefix tuning")


def vectors(model: LanguageModel) -> torch.Tensor:
    """The vectors that stand before the input, (length, width).

    Raises:
        ValueError: for prefix tuning, which has keys and values instead, and for a model without a
            soft prompt.
    """
    kind = getattr(getattr(model.model, "active_peft_config", None), "peft_type", "no adapter")
    if kind not in ("PROMPT_TUNING", "P_TUNING"):
        raise ValueError(f"{kind} has no vectors at the input: expected prompt tuning or P-tuning")
    return model.model.get_prompt_embedding_to_save(model.model.active_adapter).float()


def nearest(model: LanguageModel, measure: str = "cosine", count: int = 1) -> list[list[int]]:
    """The tokens whose embeddings lie nearest to each vector of a soft prompt, the nearest first.

    Args:
        measure: ``"cosine"`` (the angle counts) or ``"euclidean"`` (so does the length).

    Returns:
        For each vector the ids of ``count`` tokens.

    Raises:
        ValueError: as :func:`vectors`, and for another measure.
    """
    if measure not in ("cosine", "euclidean"):
        raise ValueError(f"measure={measure!r}: expected 'cosine' or 'euclidean'")
    prompt, words = vectors(model), model.model.get_input_embeddings().weight.detach().float().cpu()
    if measure == "cosine":
        distance = -torch.nn.functional.normalize(prompt) @ torch.nn.functional.normalize(words).T
    else:
        distance = torch.cdist(prompt, words)
    return distance.topk(count, largest=False).indices.tolist()


def as_words(model: LanguageModel, ids: Sequence[int]) -> LanguageModel:
    """The frozen model behind the embeddings of tokens in place of its soft prompt: how a hard
    prompt of these words does.
    """
    prompted = adapt(model.model.get_base_model(), "prompt", length=len(ids))
    start_from(prompted, ids)
    return _behind(prompted.to(model.model.device).eval(), model)


def some_words(model: LanguageModel, length: int, seed: int = 0) -> tuple[int, ...]:
    """Tokens at random, to begin with."""
    return tuple(
        int(i) for i in np.random.default_rng(seed).integers(len(model.tokenizer), size=length)
    )
