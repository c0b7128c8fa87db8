"""Log-probabilities of several replies to each prompt, with gradient, the prompt read once: tree
attention in the updates of a policy.

A step of reinforcement learning samples several replies to each prompt. In a padded batch each of
them brings the whole prompt again; here a prompt and its replies are one tree of
:mod:`course.lm.prefix_tree`, and logits are computed only where a token of a reply is predicted.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn.utils.rnn import pad_sequence

from course.lm.language_model import LanguageModel
from course.lm.prefill import ROW, additive_mask
from course.lm.prefix_tree import Node, Rows, batches, build_tree, lay, pack
from course.lm.soundness import evaluating
from course.models.peft_wrapper import get_base_model, num_virtual_tokens
from course.reward.pairs import EncodedReply, padded, token_log_probabilities
from course.training.batches import pad_id


@dataclass(frozen=True)
class TreeBatch:
    """Prompts with their replies as the rows of one forward pass.

    Attributes:
        rows: the trees, one a prompt, side by side.
        ends: number of a reply -> the node at which what is read of it ends.
    """

    rows: Rows
    ends: dict[int, Node]

    def places(self, number: int, reply: EncodedReply) -> tuple[int, np.ndarray]:
        """Row, and in it the index of each token after which a token of the reply is predicted,
        (tokens of the reply,).
        """
        node: Node | None = self.ends[number]
        row, _ = self.rows.places[self.ends[number]]
        stretches: list[np.ndarray] = []
        while node is not None:
            _, first = self.rows.places[node]
            stretches.append(np.arange(first, first + len(node.tokens)))
            node = node.parent
        return row, np.concatenate(stretches[::-1])[reply.start - 1 :]


def reply_token_log_probabilities(
    policy: LanguageModel, replies: Sequence[EncodedReply], temperature: float = 1.0
) -> tuple[torch.Tensor, torch.Tensor]:
    """Log-probability of each token of each reply, in nats, and 1 where it is a reply's, both
    (replies, T) with the first token of every reply in the first column.

    They are those of the model without dropout, which is the one that samples. A model that cannot
    read a tree, or has a soft prompt, reads a padded row for each reply.
    """
    by_tree = policy.runner.supports_tree_attention and not num_virtual_tokens(policy.model)
    read = _by_trees if by_tree else _by_rows
    with evaluating(policy.model):
        log_p = read(policy, replies, temperature)
    mask = [torch.ones_like(values, requires_grad=False) for values in log_p]
    return pad_sequence(log_p, batch_first=True), pad_sequence(mask, batch_first=True)


def _by_rows(
    policy: LanguageModel, replies: Sequence[EncodedReply], temperature: float
) -> list[torch.Tensor]:
    """Log-probabilities of the tokens of each reply, read in a row of its own."""
    rows = padded(replies, pad_id(policy.tokenizer))
    on_device = {name: tensor.to(policy.model.device) for name, tensor in rows.items()}
    log_p, in_reply = token_log_probabilities(policy.model, on_device, temperature)
    return [values[counts == 1] for values, counts in zip(log_p, in_reply, strict=True)]


def _by_trees(
    policy: LanguageModel, replies: Sequence[EncodedReply], temperature: float
) -> list[torch.Tensor]:
    """The same, each prompt read once."""
    log_p: dict[int, torch.Tensor] = {}
    for batch in tree_batches(replies, policy.batch_tokens):
        log_p |= _log_probabilities(policy, replies, batch, temperature)
    return [log_p[number] for number in range(len(replies))]


def tree_batches(replies: Sequence[EncodedReply], batch_tokens: int) -> Iterator[TreeBatch]:
    """Replies to the same prompt in one tree, trees in rows, rows in batches.

    Args:
        batch_tokens: how many tokens a batch may hold, padding included.
    """
    by_prompt: dict[tuple[int, ...], list[int]] = {}
    for number, reply in enumerate(replies):
        by_prompt.setdefault(reply.ids[: reply.start], []).append(number)
    ends: dict[Node, dict[int, Node]] = {}
    for numbers in by_prompt.values():
        # the last token of a reply is predicted, never read
        tree = build_tree([replies[number].ids[:-1] for number in numbers])
        ends[tree.root] = dict(zip(numbers, tree.leaves, strict=True))
    packed = pack(list(ends), min(ROW, batch_tokens), lambda root: root.size)
    for batch in batches(packed, lambda row: sum(root.size for root in row), batch_tokens):
        roots = [root for row in batch for root in row]
        yield TreeBatch(lay(batch), {n: end for root in roots for n, end in ends[root].items()})


def _log_probabilities(
    policy: LanguageModel,
    replies: Sequence[EncodedReply],
    batch: TreeBatch,
    temperature: float,
) -> dict[int, torch.Tensor]:
    """Number of a reply -> log-probabilities of its tokens, (tokens of the reply,)."""
    places = {number: batch.places(number, replies[number]) for number in batch.ends}
    lengths = [len(columns) for _, columns in places.values()]
    rows = np.repeat([row for row, _ in places.values()], lengths)
    columns = np.concatenate([columns for _, columns in places.values()])
    targets = [token for number in places for token in replies[number].ids[replies[number].start :]]
    hidden = _hidden(policy, batch.rows)[rows, columns]  # (tokens of all replies, width)
    logits = get_base_model(policy.model).get_output_embeddings()(hidden)  # (tokens, vocabulary)
    log_p = (logits.float() / temperature).log_softmax(-1)
    chosen = log_p.gather(-1, torch.tensor(targets, device=log_p.device)[:, None])[:, 0]
    return dict(zip(places, chosen.split(lengths), strict=True))


def _hidden(policy: LanguageModel, rows: Rows) -> torch.Tensor:
    """Hidden states of the last layer, (R, L, width), each token seeing its own ancestors."""
    model = policy.model
    output = get_base_model(model).base_model(
        torch.from_numpy(rows.tokens).to(model.device),
        position_ids=torch.from_numpy(rows.positions).to(model.device),
        attention_mask=additive_mask(rows, model.dtype).to(model.device),
        use_cache=False,
    )
    return output.last_hidden_state
