"""Losses of a pretrained model in nats: on unseen documents, and on the outputs of lists beside the
generator's own; masked words filled in right.
"""

import math

import torch

from course.foundation.rng import Rng
from course.lm.predictor import CausalLM, MaskedLM, PretrainedLM
from course.pretraining.packing import MASKED_SHARES, pack_for_bert
from course.pretraining.recipes import RECIPES
from course.pretraining.train import batch_at, packed_logits, summed_loss
from course.prompting.prompts import LIST_TEMPLATES, Prompt
from course.training.packing import IGNORED, Batch
from course.world import list_documents
from course.world.corpus import Corpus
from course.world.example import Example
from course.world.posterior import Posterior

#: Streams of the corpus from this one on are seen by no training run (each uses fewer steps than
#: this).
UNSEEN_STREAMS = 1_000_000


def unseen_loss(model: PretrainedLM, seed: int, batches: int = 4) -> float:
    """Mean loss (nats a label) on documents of unseen streams: next words for GPT, masked ones for
    BERT.
    """
    total, labels = 0.0, 0
    for batch in _unseen(model, seed, batches):
        with torch.inference_mode():
            total += summed_loss(model.model, batch).item()
        labels += batch.num_targets
    return total / labels


def masked_accuracy(model: MaskedLM, seed: int, batches: int = 4) -> float:
    """Share of the masked words of unseen documents that BERT fills in right."""
    mask = model.tokenizer.mask_token_id
    right = count = 0
    for batch in _unseen(model, seed, batches):
        ids, labels = torch.from_numpy(batch.ids), torch.from_numpy(batch.labels)
        with torch.inference_mode():
            guessed = packed_logits(model.model, batch).argmax(-1)
        wanted = (labels != IGNORED) & (ids == mask)
        right += int((guessed == labels)[wanted].sum())
        count += int(wanted.sum())
    return right / count


def _unseen(model: PretrainedLM, seed: int, batches: int) -> list[Batch]:
    """Batches of unseen documents; for BERT with as many words to fill in as at the end of its
    training.
    """
    steps = [UNSEEN_STREAMS + 1000 * seed + i for i in range(batches)]
    if not isinstance(model, MaskedLM):
        return [batch_at(RECIPES["gpt-middle"], step) for step in steps]
    recipe, share = RECIPES["bert-middle"], MASKED_SHARES[1]
    corpus = Corpus(recipe.seed, recipe.relabel)
    return [
        pack_for_bert(corpus.stream(step), recipe.rows, recipe.length, share, [recipe.seed, step])
        for step in steps
    ]


def list_losses(
    model: CausalLM, seed: int, count: int = 300, relabel: float = 0.2
) -> dict[str, float]:
    """Loss on the output of generated lists (nats), the model's beside the generator's own.

    The generator's is that of the exact posterior on the same items, so no reader of the items can
    do better on average. Titles and authors' lines are left out, and so are other formats than the
    most frequent one: what a format rules out the posterior does not use.
    """
    rng, posterior = Rng(f"list losses/{seed}"), Posterior(relabel)
    prompts: list[str] = []
    outputs: list[str] = []
    best = 0.0
    while len(prompts) < count:
        drawn = list_documents.write_list(rng, relabel)
        frame = list_documents.FORMATS["colon"]
        if not drawn.text.startswith(frame.format(x=drawn.items[0][0], y=drawn.items[0][1])):
            continue
        k = rng.randrange(min(len(drawn.items), 12))
        shown, (query, output) = drawn.items[:k], drawn.items[k]
        best -= math.log(posterior.predict(tuple(shown), query)[output])
        examples = tuple(Example(x, y) for x, y in shown)
        prompts.append(Prompt(query, examples, template=LIST_TEMPLATES["colon"]).text)
        outputs.append(output)
    scores = model.next_word(prompts)
    own = -scores[torch.arange(count), model.token_ids(outputs)].mean().item()
    return {"model": own, "generator": best / count}
