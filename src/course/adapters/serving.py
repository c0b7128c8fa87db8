"""Multi-adapter inference: one base model, and every row of a batch is answered by its own adapter
in one forward pass.

``peft`` can mix LoRA adapters in a batch (``adapter_names``) by running each adapter on its rows in
turn. Here the weights of all adapters are stacked once; a batch gathers those of its rows, and
batched matrix products serve them together (as Punica, Chen et al. 2024, does with a kernel of its
own on a GPU):

    y[b] = W x[b] + B[a(b)] A[a(b)] x[b]      for row b with the adapter a(b)

The frozen products stay one product for the whole batch. What is neither LoRA nor frozen (deltas,
heads, norms) is mapped over the rows by ``torch.func.vmap``. :mod:`course.adapters.routing` says
which adapters can be served this way; all others are refused.
"""

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

import torch
from peft import PeftModel
from torch import nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from course.adapters.routed_layers import Routed
from course.adapters.routing import check_options, routed_layers
from course.foundation.validation import integer, text
from course.models.text import text_ids
from course.training.batches import pad_id

#: (rows, tokens) of the two batches by which a bank learns how its model hands rows to its layers.
_TRIALS = ((3, 2), (2, 5))


class AdapterBank:
    """Adapters of one base model that answer in one batch.

    The base model's weights are shared with the ``PeftModel`` that the bank was made from, which
    stays as it is; the adapters' weights are copied, so adapters that are trained further need a
    new bank. A bank is for inference.

    Served are LoRA (with DoRA, with biases, at embeddings, with ``trainable_token_indices``), IA3,
    this package's methods, and the head or other ``modules_to_save`` beside them.

    Attributes:
        names: of its adapters.
        model: the model of ``transformers`` to call inside :meth:`rows`; outside of it, it is the
            base model.
    """

    def __init__(self, adapted: PeftModel, names: Sequence[str] | None = None):
        """Stack the adapters ``names`` (default: all that the model has).

        Raises:
            TypeError: for something that is no ``PeftModel``.
            ValueError: for no or unknown adapters, adapters that are merged or of different shapes,
                and whatever cannot be routed exactly: a method (prompt tuning, prefix tuning,
                P-tuning), an option of one, or a layer.
        """
        if not isinstance(adapted, PeftModel):
            raise TypeError(
                f"{type(adapted).__name__} has no adapters: expected what course.adapters.adapt "
                "or peft returns"
            )
        self.names = _checked(
            adapted.peft_config if names is None else names, "adapters", adapted.peft_config
        )
        for name in self.names:
            check_options(name, adapted.peft_config[name])
        base = adapted.get_base_model()
        if base.config.is_encoder_decoder:
            raise ValueError(
                f"{type(base).__name__} reads two texts; a bank serves encoders and decoders"
            )
        # a copy of the structure that shares every parameter and buffer
        shared = {id(tensor): tensor for tensor in (*base.parameters(), *base.buffers())}
        self.model: PreTrainedModel = copy.deepcopy(base, shared).eval()
        self._routed = self._replace_layers()
        self._index: torch.Tensor | None = None
        self._see_batches()
        self.model.register_forward_pre_hook(self._check_rows, with_kwargs=True)

    def _replace_layers(self) -> list[Routed]:
        layers = list(routed_layers(self.model, self.names))
        for where, layer in layers:
            parent, _, child = where.rpartition(".")
            setattr(self.model.get_submodule(parent), child, layer)
        return [layer for _, layer in layers]

    def _see_batches(self) -> None:
        """Run the base model on small batches, for each layer to learn how it is given rows."""
        for rows, tokens in _TRIALS:
            ids = torch.ones(rows, tokens, dtype=torch.long, device=self.model.device)
            with torch.inference_mode(), ExitStack() as hooks:
                for layer in self._routed:
                    hooks.callback(layer.register_forward_pre_hook(_seer(rows, tokens)).remove)
                try:
                    self.model(input_ids=ids, attention_mask=torch.ones_like(ids))
                except (TypeError, AttributeError, RuntimeError) as error:
                    raise ValueError(
                        f"{type(self.model).__name__} does not run with layers that route rows "
                        f"({error}); "
                        "answer the rows of each adapter alone, with set_adapter() and the "
                        "adapted model"
                    ) from error

    def _check_rows(self, model: nn.Module, inputs: tuple, named: dict) -> None:
        read = inputs[0] if inputs else named.get("input_ids")
        read = named.get("inputs_embeds") if read is None else read
        if self._index is not None and read is not None and len(read) != len(self._index):
            raise ValueError(
                f"{len(self._index)} names for {len(read)} rows: expected one adapter for each "
                "row; name those of beams and samples, too"
            )

    @contextmanager
    def rows(self, names: Sequence[str]) -> Iterator[PreTrainedModel]:
        """A context in which row ``b`` of every batch is answered by the adapter ``names[b]``.

        Raises:
            ValueError: for a name that the bank does not have, or for no names.
        """
        names = _checked(names, "names", self.names)
        before = self._index
        try:
            self._choose(
                torch.tensor([self.names.index(name) for name in names], device=self.model.device)
            )
            with torch.inference_mode():
                yield self.model
        finally:
            self._choose(before)

    def _choose(self, index: torch.Tensor | None) -> None:
        self._index = index
        for layer in self._routed:
            layer.choose(index)

    def logits(self, names: Sequence[str], **inputs: torch.Tensor) -> torch.Tensor:
        """The logits of a batch whose row ``b`` is answered by the adapter ``names[b]``.

        Raises:
            ValueError: for an unknown name, or unless there is one name a row.
        """
        with self.rows(names) as model:
            return model(**inputs).logits

    def answer(
        self,
        tokenizer: PreTrainedTokenizerBase,
        names: Sequence[str],
        prompts: Sequence[str],
        max_new_tokens: int = 8,
        stop: str = "\n",
    ) -> list[str]:
        """Greedy answers in one batch, each by its own adapter, up to ``stop`` or
        ``max_new_tokens``.

        Args:
            names: ``prompts[b]`` is answered by the adapter ``names[b]`` of a causal language
                model.

        Raises:
            TypeError: for prompts that are no list of texts, or another wrong type.
            ValueError: for an unknown name, unless there is one name a prompt, for an empty prompt
                or one that leaves no room for an answer in the window, and for a model that does
                not generate.
        """
        max_new_tokens, stop = integer(1)("max_new_tokens", max_new_tokens), text()("stop", stop)
        names = _checked(names, "names", self.names)
        ids = self._encoded(tokenizer, names, prompts, max_new_tokens)
        length, pad = max(map(len, ids)), pad_id(tokenizer)
        # padding on the left, so that all prompts end where their answers begin
        read = torch.tensor(
            [[pad] * (length - len(row)) + row for row in ids], device=self.model.device
        )  # (B, T)
        mask = torch.tensor(
            [[0] * (length - len(row)) + [1] * len(row) for row in ids], device=self.model.device
        )
        with self.rows(names) as model:
            generated = model.generate(
                input_ids=read,
                attention_mask=mask,
                max_new_tokens=max_new_tokens,
                do_sample=False,
                pad_token_id=pad,
            )  # (B, T + new)
        return [
            tokenizer.decode(row[length:], skip_special_tokens=True).split(stop)[0].strip()
            for row in generated
        ]

    def _encoded(
        self,
        tokenizer: PreTrainedTokenizerBase,
        names: Sequence[str],
        prompts: Sequence[str],
        more: int,
    ) -> list[list[int]]:
        if isinstance(prompts, str) or not all(isinstance(prompt, str) for prompt in prompts):
            raise TypeError(f"prompts={prompts!r:.60}: expected a list of texts")
        if not self.model.can_generate():
            raise ValueError(
                f"{type(self.model).__name__} does not generate: expected a causal language "
                "model, or call logits()"
            )
        if len(names) != len(prompts):
            raise ValueError(
                f"{len(names)} names for {len(prompts)} prompts: expected one adapter for each "
                "prompt"
            )
        ids, window = (
            text_ids(tokenizer, list(prompts)),
            getattr(self.model.config, "max_position_embeddings", None),
        )
        for prompt, row in zip(prompts, ids, strict=True):
            if not row:
                raise ValueError(
                    f"the prompt {prompt!r} has no tokens: expected some text to go on from"
                )
            if window and len(row) + more > window:
                raise ValueError(
                    f"the prompt {prompt[:40]!r} has {len(row)} tokens, and with {more} new ones "
                    f"that is more than the window of {window}; "
                    "shorten it or ask for fewer"
                )
        return ids


def _seer(rows: int, tokens: int) -> Callable[[Routed, tuple], None]:
    return lambda layer, inputs: layer.see(inputs[0].shape, rows, tokens)


def _checked(names: Sequence[str], what: str, known: Sequence[str]) -> tuple[str, ...]:
    if isinstance(names, str):
        raise TypeError(f"{what}={names!r}: expected a list of names, [{names!r}] for a single one")
    if unknown := [name for name in names if name not in known]:
        raise ValueError(f"no adapter {unknown[0]!r} to serve; choose from {', '.join(known)}")
    if not names:
        raise ValueError(f"no {what}: expected at least one of {', '.join(known)}")
    return tuple(names)
