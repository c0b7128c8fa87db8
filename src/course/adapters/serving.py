"""One base model, many adapters at once: every row of a batch is answered by its own adapter, in one forward pass.

``peft`` can mix LoRA adapters in a batch (``adapter_names``) by running each adapter on its rows in turn. Here the weights of all adapters
are stacked once; a batch gathers those of its rows, and batched matrix products serve them together (as Punica, Chen et al. 2024, does
with a kernel of its own on a GPU):

    y[b] = W x[b] + B[a(b)] A[a(b)] x[b]      for row b with the adapter a(b)

The frozen products stay one product for the whole batch. What is neither LoRA nor frozen (deltas, heads, norms) is mapped over the rows by
``torch.func.vmap``.
"""

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from peft import PeftModel
from peft.tuners.lora import Linear as LoraLinear
from peft.utils import ModulesToSaveWrapper
from torch import nn
from torch.func import functional_call, vmap
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from course.adapters.tuner import DeltaLayer
from course.batches import pad_id
from course.encoding import checked_texts, text_ids


class _Routed(nn.Module):
    """Parameters of all adapters at one module, stacked (adapters, ...), and those of the rows of the current batch (rows, ...)."""

    def __init__(self, stacked: dict[str, torch.Tensor]):
        super().__init__()
        self.stacked, self.chosen = stacked, None

    def choose(self, index: torch.Tensor | None) -> None:
        """Gather the parameters of a batch whose row ``b`` has the adapter ``index[b]``; None ends the batch."""
        self.chosen = None if index is None else {name: values[index] for name, values in self.stacked.items()}


class _RoutedLora(_Routed):
    """LoRA at one linear layer. Adapters of a smaller rank are padded with zeros, which change nothing."""

    def __init__(self, layer: LoraLinear, names: Sequence[str]):
        rank = max(layer.r[name] for name in names)
        down = [_padded(layer.lora_A[name].weight, rank, 0).T for name in names]  # (in, r)
        up = [_padded(layer.lora_B[name].weight, rank, 1).T * layer.scaling[name] for name in names]  # (r, out)
        super().__init__({"down": torch.stack(down).contiguous(), "up": torch.stack(up).contiguous()})
        self.base_layer = layer.base_layer

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.base_layer(x)  # (B, T, out)
        if self.chosen is None:
            return y
        rows = x.reshape(len(x), -1, x.shape[-1])  # a pooled vector has no T
        return torch.baddbmm(y.view(*rows.shape[:2], -1), torch.bmm(rows, self.chosen["down"]), self.chosen["up"]).view_as(y)


class _RoutedDelta(_Routed):
    """A delta of :mod:`course.adapters.tuner` at one module, mapped over the rows."""

    def __init__(self, layer: DeltaLayer, names: Sequence[str]):
        super().__init__(_stacked([dict(layer.deltas[name].named_parameters()) for name in names], type(layer).__name__))
        self.base_layer, self.delta = layer.base_layer, copy.deepcopy(layer.deltas[names[0]])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.base_layer(x)
        if self.chosen is None:
            return y
        return vmap(lambda own, x, y: functional_call(self.delta, own, (x, y)))(self.chosen, x, y)


class _RoutedCopy(_Routed):
    """A module that every adapter has a whole copy of: a head, a norm."""

    def __init__(self, wrapper: ModulesToSaveWrapper, names: Sequence[str], where: str):
        super().__init__(_stacked([dict(wrapper.modules_to_save[name].named_parameters()) for name in names], where))
        self.original = wrapper.original_module

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.chosen is None:
            return self.original(x)
        return vmap(lambda own, x: functional_call(self.original, own, (x,)))(self.chosen, x)


def _padded(matrix: torch.Tensor, rank: int, dim: int) -> torch.Tensor:
    shape = list(matrix.shape)
    shape[dim] = rank - shape[dim]
    return torch.cat([matrix.detach(), matrix.new_zeros(shape)], dim)


def _stacked(parts: list[dict[str, torch.Tensor]], where: str) -> dict[str, torch.Tensor]:
    shapes = [{name: tuple(value.shape) for name, value in part.items()} for part in parts]
    if other := next((shape for shape in shapes if shape != shapes[0]), None):
        raise ValueError(f"the adapters differ at {where}: {shapes[0]} and {other}; serve those of one shape together")
    return {name: torch.stack([part[name].detach() for part in parts]) for name in parts[0]}


class AdapterBank:
    """Adapters of one base model that answer side by side.

    The base model's weights are shared with the ``PeftModel`` that the bank was made from, which stays as it is; the adapters' weights are
    copied, so adapters that are trained further need a new bank. A bank is for inference.

    Attributes:
        names: of its adapters.
        model: the model of ``transformers`` to call inside :meth:`rows`; outside of it, it is the base model.
    """

    def __init__(self, adapted: PeftModel, names: Sequence[str] | None = None):
        """Stack the adapters ``names`` (default: all that the model has).

        Raises:
            ValueError: for no or unknown adapters, adapters that are merged, of several methods or of different shapes, or a method that
                cannot be served in one batch (IA3, prefix tuning).
        """
        self.names = tuple(adapted.peft_config if names is None else names)
        if not self.names or (unknown := [name for name in self.names if name not in adapted.peft_config]):
            wrong = unknown[0] if self.names else "no adapter"
            raise ValueError(f"{wrong!r} cannot be served; choose from {', '.join(adapted.peft_config)}")
        kinds = {adapted.peft_config[name].peft_type.value for name in self.names}
        if len(kinds) > 1 or kinds & {"IA3", "PREFIX_TUNING"}:
            raise ValueError(
                f"adapters of {', '.join(sorted(kinds))} cannot share a batch: expected LoRA, or one of this package's methods"
            )
        base = adapted.get_base_model()
        # a copy of the structure that shares every parameter and buffer
        shared = {id(tensor): tensor for tensor in (*base.parameters(), *base.buffers())}
        self.model: PreTrainedModel = copy.deepcopy(base, shared).eval()
        self._routed = self._replace_layers()

    def _replace_layers(self) -> list[_Routed]:
        routed = []
        for name, layer in list(self.model.named_modules()):
            if getattr(layer, "merged", False):
                raise ValueError(f"an adapter is merged into {name}; call unmerge_adapter() first")
            if isinstance(layer, LoraLinear):
                new = _RoutedLora(layer, self.names)
            elif isinstance(layer, DeltaLayer):
                new = _RoutedDelta(layer, self.names)
            elif isinstance(layer, ModulesToSaveWrapper):
                new = _RoutedCopy(layer, self.names, name)
            else:
                continue
            parent, _, child = name.rpartition(".")
            setattr(self.model.get_submodule(parent), child, new)
            routed.append(new)
        return routed

    @contextmanager
    def rows(self, names: Sequence[str]) -> Iterator[PreTrainedModel]:
        """Inside it, row ``b`` of every batch is answered by the adapter ``names[b]``.

        Raises:
            ValueError: for a name that the bank does not have.
        """
        if unknown := [name for name in names if name not in self.names]:
            raise ValueError(f"no adapter {unknown[0]!r} in the bank; choose from {', '.join(self.names)}")
        index = torch.tensor([self.names.index(name) for name in names], device=self.model.device)
        try:
            for layer in self._routed:
                layer.choose(index)
            with torch.inference_mode():
                yield self.model
        finally:
            for layer in self._routed:
                layer.choose(None)

    def logits(self, names: Sequence[str], **inputs: torch.Tensor) -> torch.Tensor:
        """The logits of a batch whose row ``b`` is answered by the adapter ``names[b]``.

        Raises:
            ValueError: for an unknown name, or unless there is one name a row.
        """
        count = len(inputs["input_ids"])
        if len(names) != count:
            raise ValueError(f"{len(names)} names for {count} rows: expected one adapter for each row")
        with self.rows(names) as model:
            return model(**inputs).logits

    def answer(
        self, tokenizer: PreTrainedTokenizerBase, names: Sequence[str], prompts: Sequence[str], max_new_tokens: int = 8, stop: str = "\n"
    ) -> list[str]:
        """What each adapter says after its prompt: greedy, in one batch, up to ``stop`` or ``max_new_tokens``.

        Args:
            names: ``prompts[b]`` is answered by the adapter ``names[b]`` of a causal language model.

        Raises:
            ValueError: for an unknown name, or unless there is one name a prompt.
        """
        if len(names) != len(prompts):
            raise ValueError(f"{len(names)} names for {len(prompts)} prompts: expected one adapter for each prompt")
        ids = text_ids(tokenizer, checked_texts(prompts, "prompts"))
        length = max(map(len, ids))
        pad = pad_id(tokenizer)
        # padding on the left, so that all prompts end where their answers begin
        read = torch.tensor([[pad] * (length - len(row)) + row for row in ids], device=self.model.device)  # (B, T)
        mask = torch.tensor([[0] * (length - len(row)) + [1] * len(row) for row in ids], device=self.model.device)
        with self.rows(names) as model:
            made = model.generate(
                input_ids=read, attention_mask=mask, max_new_tokens=max_new_tokens, do_sample=False, pad_token_id=pad
            )  # (B, T + new)
        return [tokenizer.decode(row[length:], skip_special_tokens=True).split(stop)[0].strip() for row in made]
