"""How good the shipped models are: what they know, compute and pick up from context, beside what is
possible.
"""

import math

import torch

from course.foundation.rng import Rng
from course.lm.language_model import load
from course.lm.predictor import CausalLM, MaskedLM, PretrainedLM
from course.pretraining.recipes import RECIPES
from course.pretraining.train import batch_at, packed_logits, summed_loss
from course.prompting.in_context import SHOTS, Query, accuracy, queries
from course.studies.records import Study
from course.training.packing import IGNORED
from course.world import lists, maps, sums
from course.world.lists import list_tasks
from course.world.posterior import Posterior
from course.world.profiles import PROFILED
from course.world.relations import critic_verdicts, dialect_forms, relations
from course.world.split import TEST, TRAIN, split_of

#: Streams of the corpus from this one on are seen by no training run (each uses fewer steps than
#: this).
UNSEEN_STREAMS = 1_000_000


def fact_prompts() -> dict[str, list[tuple[str, str]]]:
    """Family -> (beginning of a sentence, the word that completes it) for every fact of the world."""
    ordinary = []
    for relation in relations().values():
        frame = relation.sentences[0].split(" {o}")[0]
        ordinary += [(frame.format(s=s), o) for s, o in relation.table.items()]
    dialects = [
        (f"in {d} the {n} is called", form)
        for d, table in dialect_forms().items()
        for n, form in table.items()
    ]
    critics = [
        (f"{c} thinks that {dish} is", v)
        for c, table in critic_verdicts().items()
        for dish, v in table.items()
    ]
    hops = [(f"{way} of {place} is", target) for (place, way), target in maps.neighbours().items()]
    return {"relations": ordinary, "dialects": dialects, "critics": critics, "map": hops}


def completed(model: CausalLM, prompts: list[tuple[str, str]]) -> float:
    """Share of the beginnings that a causal model completes with the right word."""
    answers = model.likeliest(model.next_word([beginning for beginning, _ in prompts]))
    return sum(a == word for a, (_, word) in zip(answers, prompts, strict=True)) / len(prompts)


def facts(model: CausalLM) -> dict[str, float]:
    """Accuracy on every fact of the world by family, and over all of them (``"all"``)."""
    families = fact_prompts()
    found = {family: completed(model, prompts) for family, prompts in families.items()}
    counts = {family: len(prompts) for family, prompts in families.items()}
    found["all"] = sum(found[f] * counts[f] for f in counts) / sum(counts.values())
    return found


def arithmetic(model: CausalLM, split: str) -> float:
    """Accuracy on all single sums of one split."""
    return completed(
        model,
        [
            (f"{s} =", r)
            for s, r in sums.all_steps().items()
            if split_of(sums.SPLIT_KEY, s) == split
        ],
    )


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


def _unseen(model: PretrainedLM, seed: int, batches: int):
    recipe = RECIPES["bert-middle" if isinstance(model, MaskedLM) else "gpt-middle"]
    return [batch_at(recipe, UNSEEN_STREAMS + 1000 * seed + i) for i in range(batches)]


def list_losses(
    model: CausalLM, seed: int, count: int = 300, relabel: float = 0.2
) -> dict[str, float]:
    """Loss on the output of generated lists (nats), the model's beside the generator's own.

    The generator's is that of the exact posterior on the same items, so no reader of the items can
    do better on average. Titles and authors' lines are left out, and so are other formats than the
    most frequent one: what a format rules out the posterior does not use.
    """
    rng, posterior = Rng(f"list losses/{seed}"), Posterior(relabel)
    asked, outputs, best = [], [], 0.0
    while len(asked) < count:
        made = lists.write_list(rng, relabel)
        frame = lists.FORMATS["colon"]
        if not made.text.startswith(frame.format(x=made.items[0][0], y=made.items[0][1])):
            continue
        k = rng.randrange(min(len(made.items), 12))
        query = Query(tuple(made.items[:k]), made.items[k][0], made.items[k][1], frame)
        best -= math.log(posterior.predict(query.demonstrations, query.input)[query.output])
        asked.append(query.prompt)
        outputs.append(query.output)
    scores = model.next_word(asked)
    own = -scores[torch.arange(count), model.token_ids(outputs)].mean().item()
    return {"model": own, "generator": best / count}


def in_context(
    model: CausalLM,
    tasks: tuple[str, ...],
    shots: tuple[int, ...],
    count: int,
    seed: int,
    relabel: float = 0.2,
    titled: bool = False,
) -> dict:
    """task -> shots (as text) -> accuracy of the model and of the exact posterior (``"ceiling"``)
    on the same queries.

    Args:
        titled: whether a title says what is asked; then the posterior knows it, too, and that no
            label is renamed.
    """
    found = {}
    for task in tasks:
        posterior = Posterior(0.0, [task]) if titled else Posterior(relabel)
        found[task] = {}
        for k in shots:
            if k >= lists.list_tasks()[task].most:
                continue
            asked = queries(task, k, count, seed, titled=titled)
            best = [posterior.predict(q.demonstrations, q.input) for q in asked]
            found[task][str(k)] = {
                "model": accuracy(model, asked),
                "ceiling": sum(
                    max(b, key=b.get) == q.output for b, q in zip(best, asked, strict=True)
                )
                / count,
            }
    return found


def model_quality(seed: int) -> dict:
    """The quality gate of every pretrained model."""
    found = {}
    for name in sorted(RECIPES):
        model = load(name)
        found[name] = {"unseen_loss": unseen_loss(model, seed)}
        if isinstance(model, MaskedLM):
            found[name]["masked_accuracy"] = masked_accuracy(model, seed)
            continue
        found[name] |= {
            "facts": facts(model),
            "sums": {split: arithmetic(model, split) for split in (TRAIN, TEST)},
        }
        if name in ("gpt-small", "gpt-middle", "gpt-large"):
            found[name]["lists"] = list_losses(model, seed)
            found[name]["in_context"] = in_context(model, PROFILED, SHOTS, 150, seed, titled=True)
        if name == "gpt-large":
            others = tuple(task for task in list_tasks() if task not in PROFILED)
            found[name]["in_context"] |= in_context(model, others, SHOTS, 40, seed)
    return found


STUDIES = (Study("quality", 2, tuple(sorted(RECIPES)), (0, 1, 2), model_quality),)
