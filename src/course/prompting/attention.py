"""Attention weights and induction heads: where a model looks in a prompt.

An *induction head* (Olsson et al. 2022) looks from a token to the one behind that token's previous
occurrence, and so can continue a text as it was continued before. A picture of attention shows
where information may flow from. It does not show that the answer depends on it (Jain and Wallace
2019); for that one has to change the text and see whether the answer changes.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch

from course.foundation.rng import Rng
from course.lm.language_model import LanguageModel
from course.models.peft_wrapper import get_base_model
from course.prompting.prompts import Prompt
from course.world.example import Example


@dataclass(frozen=True)
class Attention:
    """Attention over one text.

    Attributes:
        tokens: the T tokens as text.
        weights: (layers, heads, T, T); row t of a head sums to 1 over the positions up to t.
    """

    tokens: tuple[str, ...]
    weights: torch.Tensor

    def from_last(self, layer: int, head: int) -> torch.Tensor:
        """Where one head looks from the last position, (T,)."""
        return self.weights[layer, head, -1]


@contextmanager
def _eager(model: LanguageModel) -> Iterator[None]:
    """Fused attention gives no weights, so the plain one stands in for a moment."""
    inner = get_base_model(model.model)
    before = inner.config._attn_implementation
    inner.set_attn_implementation("eager")
    try:
        yield
    finally:
        inner.set_attn_implementation(before)


@torch.inference_mode()
def _weights(model: LanguageModel, ids: torch.Tensor) -> torch.Tensor:
    """(B, layers, heads, T, T) for ids (B, T)."""
    with _eager(model):
        layers = model.model(
            input_ids=ids.to(model.model.device), output_attentions=True
        ).attentions
    return torch.stack([layer.float().cpu() for layer in layers], 1)


def attention(model: LanguageModel, text: str) -> Attention:
    """The attention of a causal model that reads a text.

    Raises:
        ValueError: for a text longer than the window.
    """
    ids = model.encoder.prompts([text])[0]
    if len(ids) > model.window:
        raise ValueError(
            f"a text of {len(ids)} tokens is longer than the window of {model.window}; shorten it"
            " (fewer demonstrations)"
        )
    tokens = tuple(model.tokenizer.decode([token]).strip(" ") for token in ids)
    return Attention(tokens, _weights(model, torch.tensor([ids]))[0])


def induction_scores(
    model: LanguageModel, words: Sequence[str], rows: int = 8, seed: int = 0
) -> torch.Tensor:
    """How much each head is an induction head, (layers, heads), 0 to 1.

    Words in random order are read twice in a row. The score is the mean weight from a token of the
    second half to the one behind its first occurrence. Attention spread evenly would give about one
    part in the number of tokens before.

    Args:
        words: different words, of which each is read twice; what they mean does not matter.
        rows: how many orders are averaged.

    Raises:
        ValueError: for fewer than two words.
    """
    if len(words) < 2:
        raise ValueError(f"{len(words)} words: expected two or more different ones")
    ids = [
        token
        for word in words
        for token in model.tokenizer(f" {word}", add_special_tokens=False).input_ids
    ]
    once = torch.tensor(list(dict.fromkeys(ids)))
    source = torch.Generator().manual_seed(seed)
    half = torch.stack([once[torch.randperm(len(once), generator=source)] for _ in range(rows)])
    weights = _weights(model, torch.cat([half, half], 1))  # (rows, layers, heads, 2 n, 2 n)
    n = half.shape[1]
    asking = torch.arange(n, 2 * n)
    return weights[:, :, :, asking, asking - n + 1].mean((0, 3))


def lookup_scores(
    model: LanguageModel, pairs: Sequence[tuple[str, str]], rows: int = 12, seed: int = 0
) -> torch.Tensor:
    """The same in a list of pairs, (layers, heads), 0 to 1: the list is shown, then one of its
    inputs is asked again.

    The score is the mean weight from the position where the output should stand to that output in
    the list. What lies between an input and its output (a colon, say) does not matter here; for
    :func:`induction_scores` the two must be neighbours.

    Args:
        pairs: inputs with their outputs, all inputs different.
        rows: how many lists, each with the pairs in another order and another one asked.

    Raises:
        ValueError: for fewer than two pairs.
    """
    if len(pairs) < 2:
        raise ValueError(f"{len(pairs)} pairs: expected two or more")
    rng, total = Rng(f"lookup/{seed}"), torch.zeros(())
    for row in range(rows):
        shown = tuple(Example(x, y) for x, y in rng.sample(pairs, len(pairs)))
        at = row % len(shown)
        prompt = Prompt(shown[at].input, shown)
        before = len(model.encoder.prompts([replace(prompt, demonstrations=shown[:at]).text])[0])
        total = total + attention(model, prompt.text).weights[:, :, -1, before]
    return total / rows


def strongest(scores: torch.Tensor) -> tuple[int, int]:
    """(layer, head) with the highest score."""
    return divmod(int(scores.argmax()), scores.shape[1])
