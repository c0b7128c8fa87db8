"""Pretraining recipes: sizes, seeds, steps and label knobs of the shipped models, as data."""

from dataclasses import dataclass, replace

import torch
from transformers import (
    GPTNeoXConfig,
    GPTNeoXForCausalLM,
    ModernBertConfig,
    ModernBertForMaskedLM,
    PreTrainedModel,
)

from course.foundation.validation import (
    check_fields,
    integer,
    number,
    one_of,
    share,
    text,
)
from course.pretraining.tokenizer import WINDOW
from course.world.vocabulary import CLS, END, PAD, SEP, vocabulary


@dataclass(frozen=True)
class Recipe:
    """All that decides what weights come out.

    Attributes:
        name: the folder's name, e.g. ``"gpt-large"``.
        kind: ``"gpt"`` or ``"bert"``.
        layers, width, heads: the transformer's size; the feed-forward layer of a GPT is four times
            as wide, that of a BERT, which is gated, 8/3 times (as many weights).
        steps: optimiser steps; a step sees ``rows`` rows of ``length`` tokens, over all processes
            together.
        seed: of the initial weights and of the corpus.
        relabel: the corpus's label knob p.
        muon_rate, adam_rate: peak learning rates of Muon (matrices) and AdamW (embeddings, biases,
            norms).
    """

    name: str
    kind: str
    layers: int
    width: int
    heads: int
    steps: int
    seed: int = 0
    relabel: float = 0.2
    rows: int = 32
    length: int = WINDOW
    muon_rate: float = 0.02
    adam_rate: float = 0.004

    def __post_init__(self) -> None:
        check_fields(
            self,
            name=text(),
            kind=one_of(("gpt", "bert")),
            layers=integer(1),
            width=integer(1),
            heads=integer(1),
            steps=integer(1),
            seed=integer(0),
            relabel=share(),
            rows=integer(1),
            length=integer(1),
            muon_rate=number(above=0),
            adam_rate=number(above=0),
        )
        if self.width % self.heads:
            raise ValueError(
                f"width={self.width} is no multiple of heads={self.heads}; choose one that is"
            )
        if self.length > WINDOW:
            raise ValueError(
                f"length={self.length} is more than the models' window of {WINDOW} tokens"
            )

    @property
    def tokens(self) -> int:
        """Tokens seen in training, padding included."""
        return self.steps * self.rows * self.length

    def new_model(self) -> PreTrainedModel:
        """A model with fresh weights that depend on the recipe alone."""
        torch.manual_seed(self.seed)
        return _new_gpt(self) if self.kind == "gpt" else _new_bert(self)


def _sizes(recipe: Recipe) -> dict[str, int]:
    """The settings that both kinds of configuration know by the same names."""
    return {
        "vocab_size": len(vocabulary()),
        "hidden_size": recipe.width,
        "num_hidden_layers": recipe.layers,
        "num_attention_heads": recipe.heads,
        "max_position_embeddings": WINDOW,
        "pad_token_id": vocabulary()[PAD],
    }


def _new_gpt(recipe: Recipe) -> GPTNeoXForCausalLM:
    # GPT-NeoX: rotary positions, which short training can learn from, and biases, which BitFit
    # needs
    config = GPTNeoXConfig(
        **_sizes(recipe),
        intermediate_size=4 * recipe.width,
        rotary_pct=1.0,
        use_parallel_residual=True,
        tie_word_embeddings=True,
        attention_dropout=0.0,
        hidden_dropout=0.0,
        bos_token_id=vocabulary()[END],
        eos_token_id=vocabulary()[END],
    )
    return GPTNeoXForCausalLM(config)


def _new_bert(recipe: Recipe) -> ModernBertForMaskedLM:
    # ModernBERT (Warner et al. 2024) for its rotary positions: with learned ones, training of this
    # length learns few facts. Biases, which it leaves out, are switched on for BitFit; every layer
    # sees the whole window.
    config = ModernBertConfig(
        **_sizes(recipe),
        intermediate_size=8 * recipe.width // 3 // 8 * 8,
        global_attn_every_n_layers=1,
        attention_bias=True,
        mlp_bias=True,
        norm_bias=True,
        decoder_bias=True,
        classifier_bias=True,
        attention_dropout=0.0,
        mlp_dropout=0.0,
        embedding_dropout=0.0,
        cls_token_id=vocabulary()[CLS],
        sep_token_id=vocabulary()[SEP],
        bos_token_id=vocabulary()[CLS],
        eos_token_id=vocabulary()[SEP],
    )
    return ModernBertForMaskedLM(config)


_SMALL = Recipe("gpt-small", "gpt", layers=3, width=96, heads=4, steps=2400)
_MIDDLE = Recipe("gpt-middle", "gpt", layers=4, width=160, heads=4, steps=4400)
_LARGE = Recipe("gpt-large", "gpt", layers=5, width=256, heads=4, steps=9200)
_BERT = Recipe("bert-middle", "bert", layers=4, width=160, heads=4, steps=6600)


def _seeds(recipe: Recipe) -> tuple[Recipe, ...]:
    """A recipe and two more that differ from it in the seed alone."""
    return (recipe, *(replace(recipe, name=f"{recipe.name}-seed{s}", seed=s) for s in (1, 2)))


#: Every model that the package ships: three sizes, a label knob p (the small model with p = 0.2 is
#: ``gpt-small`` itself), and three seeds of what claims about pretraining compare.
RECIPES = {
    recipe.name: recipe
    for recipe in (
        _SMALL,
        *_seeds(_MIDDLE),
        _LARGE,
        *_seeds(replace(_SMALL, name="gpt-small-p00", relabel=0.0)),
        replace(_SMALL, name="gpt-small-p05", relabel=0.05),
        *_seeds(replace(_SMALL, name="gpt-small-p50", relabel=0.5)),
        *_seeds(_BERT),
    )
}
