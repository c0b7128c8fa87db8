"""The ideas of prompt search in a few lines each: HotFlip's step, a round of written prompts, the
loss of the policy gradient, and vectors before the input.
"""

import torch
from torch import Tensor
from transformers import PreTrainedModel

from course.lm.language_model import LanguageModel
from course.search.objective import Answers
from course.search.prompt_gradient import loss_and_gradient
from course.search.words import words_of
from course.search.writers import Writer


def hotflip_step(
    model: LanguageModel, items: Answers, prompt: list[int], place: int, k: int = 10
) -> list[int]:
    """A prompt, as numbers of words, with the best of k proposed words at one position."""
    words, every = words_of(model), range(items.size)
    gradient = loss_and_gradient(model, items, prompt, every).gradient[place]  # (width,)
    table = model.model.get_input_embeddings().weight.detach().float()  # (vocabulary, width)
    change = table[words.ids_at(place)] @ gradient  # of the loss, up to a constant, (words,)
    change[prompt[place]] = float("inf")  # another word than now
    proposed = change.topk(k, largest=False).indices.tolist()
    tried = [[*prompt[:place], word, *prompt[place + 1 :]] for word in (prompt[place], *proposed)]
    pairs = [(words.prompt(numbers), item) for numbers in tried for item in every]
    values = items.values(model, pairs).reshape(len(tried), items.size)
    return tried[values.mean(1).argmax()]


def write_score_keep(
    writer: Writer, items: Answers, model: LanguageModel, count: int, keep: int
) -> list[str]:
    """One round: prompts are written, scored on the training items, and the best are kept."""
    texts = [" ".join(text.split()) for text in writer.write(items.examples, count, seed=0)]
    score: dict[str, float] = {}
    for prompt in filter(None, texts):
        score[prompt] = items.values(model, [(prompt, i) for i in range(items.size)]).mean()
    return sorted(score, key=lambda prompt: score[prompt], reverse=True)[:keep]


def policy_gradient_loss(log_p: Tensor, rewards: Tensor) -> Tensor:
    """The loss of a policy that wrote (contexts, samples, tokens) and got (contexts, samples)."""
    mean, std = rewards.mean(1, keepdim=True), rewards.std(1, correction=0, keepdim=True)
    advantage = ((rewards - mean) / std)[..., None]  # of a sample, for each of its tokens
    loss = -(advantage * log_p).mean()
    return loss


@torch.inference_mode()
def behind_vectors(model: PreTrainedModel, vectors: Tensor, ids: Tensor) -> Tensor:
    """Logits of the next token, (vocabulary,), for vectors (m, width) before tokens (1, T)."""
    embedded = model.get_input_embeddings()(ids)  # (1, T, width)
    embedded = torch.cat([vectors[None].to(embedded), embedded], dim=1)  # (1, m + T, width)
    return model(inputs_embeds=embedded).logits[0, -1]
