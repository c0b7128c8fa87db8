"""Layers of which every row of a batch uses its own adapter: one for each kind of layer that
``peft`` or this package puts into a model.
"""

import copy
from collections.abc import Mapping, Sequence
from typing import cast

import torch
from peft.tuners import ia3, lora
from peft.tuners.lora.variants import DoraLinearVariant
from peft.tuners.trainable_tokens import TrainableTokensLayer
from peft.tuners.tuners_utils import BaseTunerLayer
from peft.utils import ModulesToSaveWrapper, TrainableTokensWrapper
from torch import nn
from torch.func import functional_call, vmap
from transformers.pytorch_utils import Conv1D

from course.adapters.tuner import DeltaLayer

#: What to do with an adapter that no layer here routes.
ALONE = "answer its rows alone, with set_adapter() and the adapted model"


class Routed(nn.Module):
    """Parameters of all adapters at one module, stacked (adapters, ...), and those of the rows of
    the current batch (rows, ...).

    Attributes:
        where: the module's name.
        flat: whether the model hands it all tokens of all rows in one dimension, as OPT does; None
            until a batch was seen.
    """

    base_layer: nn.Module

    def __init__(self, where: str, stacked: dict[str, torch.Tensor]):
        super().__init__()
        self.where, self.stacked = where, stacked
        self.flat: bool | None = None
        self.index: torch.Tensor | None = None  # (rows,)
        self.chosen: dict[str, torch.Tensor] | None = None

    @property
    def weight(self) -> torch.Tensor:
        """That of the base model, as an adapted layer of ``peft`` gives it to a model that asks for
        its type or device.
        """
        return cast(torch.Tensor, self.base_layer.weight)

    def choose(self, index: torch.Tensor | None) -> None:
        """Gather the parameters of a batch whose row ``b`` has the adapter ``index[b]``; None ends
        the batch.
        """
        self.index = index
        self.chosen = (
            None
            if index is None
            else {name: values[index] for name, values in self.stacked.items()}
        )

    def see(self, shape: torch.Size, rows: int, tokens: int) -> None:
        """Record, from a batch of ``rows * tokens`` ids, how the model passes its input on.

        Raises:
            ValueError: if the input does not go by rows, so that no row could have its own adapter.
        """
        flat = {rows: False, rows * tokens: True}.get(shape[0])
        if flat is None or self.flat not in (None, flat):
            raise ValueError(
                f"{self.where} reads something of the shape {tuple(shape)} in a batch of {rows} "
                f"rows, {tokens} tokens each, so rows "
                "cannot have their own adapters there; adapt without it (target_modules, "
                "exclude_modules, norms=False), "
                f"or {ALONE}"
            )
        self.flat = flat

    def by_row(self, x: torch.Tensor) -> torch.Tensor:
        """Vectors by row, (rows, vectors of a row, width).

        Raises:
            ValueError: for another number of rows than adapters were chosen for.
        """
        self._check(x)
        return x.reshape(self._rows(), -1, x.shape[-1])

    def _rows(self) -> int:
        """Rows of the current batch; 0 outside of one."""
        return 0 if self.index is None else len(self.index)

    def _check(self, x: torch.Tensor) -> None:
        rows = self._rows()
        if self.flat is None or (len(x) % rows if self.flat else len(x) != rows):
            raise ValueError(
                f"{self.where} got {len(x)} rows for {rows} names: expected one adapter for each "
                "row"
            )


class RoutedLora(Routed):
    """LoRA at one linear layer, DoRA (Liu et al. 2024) and biases included.

    Adapters of a smaller rank, or that do not stand here, are padded with zeros, which change
    nothing.
    """

    def __init__(self, layer: lora.Linear, names: Sequence[str], where: str):
        for name in names:
            variant = type(layer.lora_variant.get(name))
            if variant not in (type(None), DoraLinearVariant):
                raise not_routed(f"{variant.__name__} of the adapter {name!r}", where)
        if not isinstance(layer.base_layer, nn.Linear | Conv1D):
            raise not_routed(f"LoRA around {type(layer.base_layer).__name__}", where)
        rank = max(layer.r.get(name, 0) for name in names)
        parts = [_factors(layer, name, rank) for name in names]
        stacked = {key: torch.stack([part[key] for part in parts]).contiguous() for key in parts[0]}
        # what no adapter here has costs nothing
        if not any(name in layer.lora_magnitude_vector for name in names):
            del stacked["magnitude"]
        if not any(layer.lora_bias.get(name) for name in names):
            del stacked["bias"]
        super().__init__(where, stacked)
        self.base_layer = layer.base_layer

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.base_layer(x)  # (B, T, out), or (B, out) for a pooled vector, or (B * T, out)
        if self.chosen is None:
            return y
        rows, own = self.by_row(x), self.chosen
        added = y.view(*rows.shape[:2], -1)
        if "magnitude" in own:
            bias = self.base_layer.bias
            added = added + (own["magnitude"][:, None] - 1) * (
                added if bias is None else added - bias
            )
        if "bias" in own:
            added = added + own["bias"][:, None]
        down, up = own["down"], own["up"]
        if added.dtype == rows.dtype == down.dtype:
            return torch.baddbmm(added, torch.bmm(rows, down), up).view_as(y)
        return (added + torch.bmm(torch.bmm(rows.to(down.dtype), down), up)).to(y.dtype).view_as(y)


def _factors(layer: lora.Linear, name: str, rank: int) -> dict[str, torch.Tensor]:
    """What one adapter adds: ``y + (magnitude - 1) * (y - bias of the base) + bias + x down up``,
    each scaled already.
    """
    some = next(iter(layer.lora_A.values())).weight
    if name not in layer.lora_A:
        return {
            "down": some.new_zeros(layer.in_features, rank),
            "up": some.new_zeros(rank, layer.out_features),
            "magnitude": some.new_ones(layer.out_features),
            "bias": some.new_zeros(layer.out_features),
        }
    magnitude, scale = _magnitude(layer, name), layer.scaling[name]
    bias = layer.lora_B[name].bias
    return {
        "down": _padded(layer.lora_A[name].weight, rank, 0).T,  # (in, r)
        "up": _padded(layer.lora_B[name].weight, rank, 1).T * scale * magnitude,  # (r, out)
        "magnitude": magnitude,
        "bias": some.new_zeros(layer.out_features)
        if bias is None
        else bias.detach() * scale * magnitude,
    }


def _magnitude(layer: lora.Linear, name: str) -> torch.Tensor:
    """By how much DoRA stretches each output, (out,): its learned length over that of the changed
    matrix's row.
    """
    if name not in layer.lora_magnitude_vector:
        return layer.lora_A[name].weight.new_ones(layer.out_features)
    dora = layer.lora_magnitude_vector[name]
    with torch.no_grad():
        product = dora.get_lora_weight(
            lora_A=layer.lora_A[name], lora_B=layer.lora_B[name]
        )  # (out, in)
        matrix = layer.base_layer.weight.to(product.dtype)
        return dora.weight / dora.get_weight_norm(matrix, product, layer.scaling[name])


class RoutedEmbedding(Routed):
    """LoRA at the embeddings of tokens: ids choose rows of the first factor, so it is never
    gathered for a batch.
    """

    def __init__(self, layer: lora.Embedding, names: Sequence[str], where: str):
        if variants := {
            type(layer.lora_variant[name]).__name__ for name in names if name in layer.lora_variant
        }:
            raise not_routed(f"{variants.pop()} (use_dora at embeddings)", where)
        _check_plain(layer.base_layer, where)
        rank = max(layer.r.get(name, 0) for name in names)
        some = next(iter(layer.lora_embedding_A.values()))
        none = (
            some.new_zeros(0, layer.base_layer.num_embeddings),
            some.new_zeros(layer.base_layer.embedding_dim, 0),
        )
        down = [
            _padded(layer.lora_embedding_A.get(name, none[0]), rank, 0).T for name in names
        ]  # (vocabulary, r)
        up = [
            _padded(layer.lora_embedding_B.get(name, none[1]), rank, 1).T
            * layer.scaling.get(name, 1)
            for name in names
        ]  # (r, d)
        super().__init__(where, {"up": torch.stack(up)})
        self.base_layer, self.down = layer.base_layer, torch.stack(down)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        y = self.base_layer(ids)
        if self.chosen is None or self.index is None:
            return y
        rows = self.by_row(ids[..., None])[..., 0]  # (B, T)
        return (y + (self.down[self.index[:, None], rows] @ self.chosen["up"]).view_as(y)).to(
            y.dtype
        )


class RoutedTokens(Routed):
    """Embeddings of some tokens that every adapter has learned anew, at the input or at an output
    tied to it.
    """

    def __init__(self, wrapper: TrainableTokensWrapper, names: Sequence[str], where: str):
        layer: TrainableTokensLayer = wrapper.token_adapter
        base = layer.base_layer
        if isinstance(base, nn.Embedding):
            _check_plain(base, where)
        elif type(base) is not nn.Linear or base.bias is not None:
            raise not_routed(f"trainable_token_indices around {type(base).__name__}", where)
        # an adapter with fewer tokens says one of them again; one with none, the base model's first
        # token
        ids = [list(layer.token_indices.get(name, ())) or [0] for name in names]
        values = [
            layer.trainable_tokens_delta[n] if n in layer.token_indices else base.weight[:1]
            for n in names
        ]
        count = max(map(len, ids))
        take = [
            torch.tensor(
                [i if i < len(own) else 0 for i in range(count)], device=base.weight.device
            )
            for own in ids
        ]
        stacked = {
            "ids": torch.stack(
                [
                    torch.tensor(own, device=base.weight.device)[i]
                    for own, i in zip(ids, take, strict=True)
                ]
            ),
            "values": torch.stack(
                [own.detach()[i] for own, i in zip(values, take, strict=True)]
            ).to(base.weight.dtype),
        }
        super().__init__(where, stacked)
        self.base_layer = base

    @property
    def weight(self) -> torch.Tensor:
        raise AttributeError(f"{self.where} has a weight for each adapter")

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.base_layer(x)
        if self.chosen is None:
            return y
        ids, values = self.chosen["ids"], self.chosen["values"]  # (B, K), (B, K, d)
        if isinstance(self.base_layer, nn.Linear):
            rows = self.by_row(x)
            own = torch.bmm(rows, values.mT)  # (B, T, K)
            return (
                y.view(*rows.shape[:2], -1).scatter(2, ids[:, None].expand_as(own), own).view_as(y)
            )
        hit = self.by_row(x[..., None]) == ids[:, None]  # (B, T, K)
        new = values.gather(
            1, hit.byte().argmax(-1, keepdim=True).expand(*hit.shape[:2], values.shape[-1])
        )
        return torch.where(hit.any(-1, keepdim=True), new, y.view_as(new)).view_as(y)


class RoutedScale(Routed):
    """IA3 at one linear layer: its output is scaled, or its input in a feed-forward block."""

    def __init__(self, layer: ia3.Linear, names: Sequence[str], where: str):
        some = next(iter(layer.ia3_l.values())).flatten()
        scales = [
            layer.ia3_l[name].detach().flatten() if name in layer.ia3_l else torch.ones_like(some)
            for name in names
        ]
        super().__init__(where, {"scale": torch.stack(scales)})
        self.base_layer, self.at_input = layer.base_layer, layer.is_feedforward

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.chosen is None:
            return self.base_layer(x)
        if self.at_input:
            return self.base_layer(self._scaled(x, self.chosen["scale"]))
        self._check(x)
        return self._scaled(self.base_layer(x), self.chosen["scale"])

    def _scaled(self, x: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
        return (self.by_row(x) * scale[:, None]).to(x.dtype).view_as(x)


class RoutedDelta(Routed):
    """A delta of :mod:`course.adapters.tuner` at one module, mapped over the rows."""

    def __init__(self, layer: DeltaLayer, names: Sequence[str], where: str):
        if missing := [name for name in names if name not in layer.deltas]:
            raise ValueError(
                f"the adapter {missing[0]!r} changes nothing at {where}, others do; serve those "
                "of the same modules together"
            )
        parts = [dict(layer.deltas[name].named_parameters()) for name in names]
        super().__init__(where, _stacked(parts, f"{where} ({type(layer).__name__})"))
        self.base_layer, self.delta = layer.base_layer, copy.deepcopy(layer.deltas[names[0]])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.base_layer(x)
        if self.chosen is None:
            return y
        rows = self.by_row(x)
        mapped = vmap(lambda own, x, y: functional_call(self.delta, own, (x, y)))
        return mapped(self.chosen, rows, y.view(*rows.shape[:2], -1)).to(y.dtype).view_as(y)


class RoutedCopy(Routed):
    """A module that every adapter has a whole copy of: a head, a norm. An adapter without one uses
    the base model's.
    """

    def __init__(self, wrapper: ModulesToSaveWrapper, names: Sequence[str], where: str):
        if inner := [
            type(module).__name__
            for module in wrapper.modules()
            if isinstance(module, BaseTunerLayer)
        ]:
            raise not_routed(f"{inner[0]} inside of modules_to_save", where)
        own = dict(wrapper.modules_to_save.items())
        copies = [own.get(name, wrapper.original_module) for name in names]
        super().__init__(
            where,
            _stacked([dict((*m.named_parameters(), *m.named_buffers())) for m in copies], where),
        )
        self.original = wrapper.original_module

    @property
    def weight(self) -> torch.Tensor:
        raise AttributeError(f"{self.where} has a weight for each adapter")

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.chosen is None:
            return self.original(x)
        self._check(x)
        if self.flat:
            return self._mapped(x.reshape(self._rows(), -1, *x.shape[1:])).flatten(0, 1)
        # many heads read the first token of every row, so what they are given has rows, if only one
        return self._mapped(x[:, None]).squeeze(1)

    def _mapped(self, x: torch.Tensor) -> torch.Tensor:
        return vmap(lambda own, x: functional_call(self.original, own, (x,)))(self.chosen, x)


def _padded(matrix: torch.Tensor, rank: int, dim: int) -> torch.Tensor:
    shape = list(matrix.shape)
    shape[dim] = rank - shape[dim]
    return torch.cat([matrix.detach(), matrix.new_zeros(shape)], dim)


def _stacked(parts: Sequence[Mapping[str, torch.Tensor]], where: str) -> dict[str, torch.Tensor]:
    shapes = [{name: tuple(value.shape) for name, value in part.items()} for part in parts]
    if other := next((shape for shape in shapes if shape != shapes[0]), None):
        raise ValueError(
            f"the adapters differ at {where}: {shapes[0]} and {other}; serve those of one shape "
            "together"
        )
    return {name: torch.stack([part[name].detach() for part in parts]) for name in parts[0]}


def _check_plain(embedding: nn.Module, where: str) -> None:
    if type(embedding) is not nn.Embedding or embedding.max_norm is not None:
        raise not_routed(f"an adapter around {type(embedding).__name__}", where)


def not_routed(what: str, where: str) -> ValueError:
    """The error about something that no layer here routes."""
    return ValueError(f"{what} at {where} cannot share a batch; {ALONE}")
