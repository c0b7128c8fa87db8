"""The pilots of issue 15: ``python pilots/pilot.py all`` (or data | gpt NAME | bert NAME | bon BODY SEED ...)."""

import argparse
import math
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parent))
import bodies as b
from bodies import DEVICE, SEED, V, WORK, say

from course.world import conduct, exercises, gold, lists, problems, sums
from course.world import lexicon as lex
from course.world.chance import Chance
from course.world.maps import neighbours
from course.world.posterior import Posterior
from course.world.relations import critic_verdicts, dialect_forms, draw_dialect, relations
from course.world.split import TEST, TRAIN, is_train, split_of

TINY = os.environ.get("PILOT_TINY") == "1"  # a rehearsal on a CPU
GPTS = {  # layers, width, steps
    "small": (3, 96, 1000), "middle": (4, 160, 2200), "large": (5, 256, 4600), "large-long": (5, 256, 9200),
    "middle-glossaries": (4, 160, 2200), "large-glossaries": (5, 256, 4600),
}  # fmt: skip
BERTS = {  # rotary, steps, share of masked tokens by progress
    "rot-40to15-long": (True, 6600, lambda p: 0.4 - 0.25 * p),
    "rot-40to15-xlong": (True, 10_000, lambda p: 0.4 - 0.25 * p),
}
COUNT = 20 if TINY else int(os.environ.get("PILOT_COUNT", 200))
DATA_STEPS = 8 if TINY else int(os.environ.get("PILOT_DATA_STEPS", 10_000))
MS = (20,) if TINY else tuple(map(int, os.environ.get("PILOT_MS", "200 1000").split()))


def steps_of(steps):
    return 6 if TINY else steps


# ------------------------------------------------------------------------------------------- GPT bodies


def right_share(model, pairs):
    scores = b.next_scores(model, [p for p, _ in pairs])
    wanted = torch.tensor([V[y] for _, y in pairs])
    return 100 * float((scores.argmax(-1) == wanted).float().mean())


def gates(model, name):
    facts = [(r.sentences[0].split(" {o}")[0].format(s=s), o) for r in relations().values() for s, o in r.table.items()
             if r.sentences[0].index("{s}") < r.sentences[0].index("{o}")]  # fmt: skip
    dialects = [(f"in {d} the {n} is called", y) for d, t in dialect_forms().items() for n, y in t.items()]
    critics = [(f"{c} thinks that {x} is", y) for c, t in critic_verdicts().items() for x, y in t.items()]
    hops = [(f"{way} of {place} is", target) for (place, way), target in neighbours().items()]
    row = {"relations": facts, "dialects": dialects, "critics": critics, "map": hops}
    for split in (TRAIN, TEST):
        row[f"sums {split}"] = [(f"{s} =", r) for s, r in sums.all_steps().items() if split_of(sums.SPLIT_KEY, s) == split]
    say(part="gates", body=name, **{key: round(right_share(model, pairs), 1) for key, pairs in row.items()})


def exercise_items(name, count, seed=0, split=TEST, **given):
    kind, chance, found = exercises.EXERCISES[name], Chance(f"pilot/{name}/{seed}/{given}"), {}
    for _ in range(60 * count):
        example = kind.write(chance, train=False, **given)
        if kind.split(example) == split:
            found.setdefault(example.input, example)
        if len(found) == count:
            break
    return list(found.values())


def exercise_prompt(name, example, shots=0, chance=None):
    kind = exercises.EXERCISES[name]
    shown = [kind.frame.format(x=e.input, y=e.output) for e in (kind.write(chance) for _ in range(shots))]
    return " ".join([*shown, kind.frame.format(x=example.input, y="{y}").split(" {y}")[0]])


def tasks(model, name):
    """(e) inference from both sentences; sibling tasks; reading; translation by language."""
    row = {}
    for task in ("inference", "consistency", "paraphrase", "fact_check", "alike", "odd_one_out", "where", "who", "story_check",
                 "closed_book", "grammar", "grammar_mistake"):  # fmt: skip
        items = exercise_items(task, COUNT * 2 if task == "inference" else COUNT)
        scores = b.next_scores(model, [exercise_prompt(task, e) for e in items])
        row[task] = round(100 * float(np.mean([WORDS_AT(s) == e.output for s, e in zip(scores, items, strict=True)])), 1)
        if task == "inference":
            by_label = {y: [WORDS_AT(s) == e.output for s, e in zip(scores, items, strict=True) if e.output == y] for y in ("true", "unknown", "false")}
            row["inference by label"] = {y: round(100 * float(np.mean(v)), 1) for y, v in by_label.items()}
    for task in ("to_velan", "from_velan", "to_torvish", "from_torvish", "summary"):
        items = exercise_items(task, COUNT)
        written = b.generate(model, [exercise_prompt(task, e) for e in items], max_tokens=16)
        row[task] = round(100 * float(np.mean([w == e.output for (w,), e in zip(written, items, strict=True)])), 1)
    say(part="tasks", body=name, **row)


def WORDS_AT(scores):
    return b.WORDS[int(scores.argmax())]


def list_query(chance, task, k, profile=None, table=None):
    """(demonstrations, query, right): the demonstrations of the training split, the query held out."""
    profile = profile or chance.pick(task.profiles)
    table = table or task.tables.get(profile)
    if task.draw is None:
        asked = chance.pick([x for x in table if task.split(x) == TEST])
        shown = chance.some([x for x in table if task.split(x) == TRAIN], k)
        return [(x, table[x]) for x in shown], asked, table[asked]
    asked = task.draw_input(chance, TEST)
    return [(x, task.truth(x)) for x in (task.draw_input(chance, TRAIN) for _ in range(k))], asked, task.truth(asked)


def list_prompt(shown, query):
    frame = lists.FORMATS["colon"]
    return " ".join([*(frame.format(x=x, y=y) for x, y in shown), f"{query} :"])


def in_context(model, name):
    """Curves over k beside the exact posterior, known dialects and an unseen one side by side."""
    posterior, count = Posterior(0.2), COUNT // 2
    for label in ("dialect", "stranger", "verdict", "is_animal", "is_large", "sentiment", "topic", "opposite", "second_word",
                  "is_wild", "capital", "comparative", "job", "first_word", "third_word"):
        task, row = lists.list_tasks()["dialect" if label == "stranger" else label], {}
        for k in (0, 1, 2, 4, 8, 16):
            if k >= task.most:
                continue
            chance = Chance(f"pilot/{label}/{k}")
            asked = [list_query(chance, task, k, table=draw_dialect(chance) if label == "stranger" else None) for _ in range(count)]
            model_right = right_share(model, [(list_prompt(shown, x), y) for shown, x, y in asked])
            best = [posterior.predict(shown, x) for shown, x, _ in asked]
            row[k] = [round(model_right, 1), round(100 * float(np.mean([max(p, key=p.get) == y for p, (_, _, y) in zip(best, asked, strict=True)])), 1)]
        say(part="in_context", body=name, task=label, model_and_ceiling_by_k=row)


def derivations(model, name, votes=16):
    """(b) does a vote over sampled derivations gain over greedy?"""
    for steps in (1, 2, 3, 4):
        items = exercise_items("problem", 3 * COUNT, steps=steps)
        # few lengths are few batches
        common = [n for n, _ in Counter(len(e.input.split(" ")) for e in items).most_common(2)]
        items = [e for e in items if len(e.input.split(" ")) in common][:COUNT]
        prompts = [f"{exercise_prompt('problem', e)} {problems.TRIGGER}" for e in items]
        asked = [problems.read_problem(e.input) for e in items]
        greedy = [w for (w,) in b.generate(model, prompts, max_tokens=70)]
        row = {"greedy": share_right(greedy, items), "greedy true derivation": share_true(greedy, asked)}
        stated = [all(is_train(sums.SPLIT_KEY, s) for s in p.steps) for p in asked]
        row["share stated in order"] = round(float(np.mean(stated)), 2)
        for temperature in (0.7, 1.0):
            written = b.generate(model, prompts, n=votes, temperature=temperature, max_tokens=70, seed=1)
            answers = [[answer_of(w) for w in found] for found in written]
            voted = [Counter(a for a in found if a).most_common(1) for found in answers]
            row[f"one at {temperature}"] = round(100 * float(np.mean([a == e.output for found, e in zip(answers, items, strict=True) for a in found])), 1)
            row[f"vote at {temperature}"] = round(100 * float(np.mean([bool(v) and v[0][0] == e.output for v, e in zip(voted, items, strict=True)])), 1)
            row[f"any at {temperature}"] = round(100 * float(np.mean([e.output in found for found, e in zip(answers, items, strict=True)])), 1)
            row[f"true derivations at {temperature}"] = share_true([w for found in written for w in found], [p for p in asked for _ in range(votes)])
            ways = Counter(tuple(sorted(x for x, _ in sums.read_sums(w))) for w in written[0])
            row[f"ways of the first at {temperature}"] = len(ways)
        say(part="derivations", body=name, steps=steps, **row)


def answer_of(text):
    head, _, tail = text.partition("the answer is ")
    return tail.split(" ")[0] if tail else None


def share_right(written, items):
    return round(100 * float(np.mean([answer_of(w) == e.output for w, e in zip(written, items, strict=True)])), 1)


def share_true(written, asked):
    return round(100 * float(np.mean([problems.check(p, w.partition("the answer is")[0]) is None for w, p in zip(written, asked, strict=True)])), 1)


def normalised(scores):
    return scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)


def recalibrated(scores, reference):
    rows = normalised(reference)
    return normalised(scores) - (np.logaddexp.reduce(rows, axis=0) - math.log(len(rows)))


ARRANGEMENTS = ("random 1", "random 2", "random 3", "first label first", "first label last", "mostly first", "mostly last")


def arranged(chance, arrangement, by_label, labels, k):
    """k demonstrations: balanced and shuffled, balanced and sorted, or all but one of one label."""
    n = len(labels)
    even = [pair for label in labels for pair in chance.some(by_label[label], k // n)]
    if arrangement.startswith("random"):
        return chance.some(even, len(even))
    if arrangement == "first label first":
        return even
    if arrangement == "first label last":
        return even[::-1]
    major, minor = (labels[0], labels[1:]) if arrangement == "mostly first" else (labels[-1], labels[:-1])
    many = chance.some(by_label[major], k - len(minor))
    return chance.some([*many, *(chance.pick(by_label[label]) for label in minor)], k)


def order_effects(model, name, k=8, sets=2 if TINY else 6):
    """(c) is there a bias from the order of demonstrations, and does calibration repair it?"""
    for label in ("sentiment", "recommend", "verdict", "is_animal", "is_large", "is_wild", "topic"):
        task, found = lists.list_tasks()[label], {}
        labels = task.labels
        for number in range(sets):
            chance = Chance(f"pilot/order/{label}/{number}")
            profile = chance.pick(task.profiles)
            if task.draw is None:
                table = task.tables[profile]
                train = [(x, y) for x, y in table.items() if task.split(x) == TRAIN]
                asked = [(x, y) for x, y in table.items() if task.split(x) != TRAIN]
            else:
                train = [(x, task.truth(x)) for x in (task.draw_input(chance, TRAIN) for _ in range(120))]
                asked = [(x, task.truth(x)) for x in (task.draw_input(chance, TEST) for _ in range(60))]
            by_label = {y: [pair for pair in train if pair[1] == y] for y in labels}
            columns = [V[y] for y in labels]
            wanted = np.array([labels.index(y) for _, y in asked])
            for arrangement in ARRANGEMENTS:
                shown = arranged(chance, arrangement, by_label, labels, k)
                texts = [x for x, _ in asked]
                scores = b.next_scores(model, [list_prompt(shown, x) for x in [*texts, *lex.NONCE_KEYS, *lex.WEATHER]])[:, columns].numpy()
                plain, nonce, weather = np.split(scores, [len(texts), len(texts) + len(lex.NONCE_KEYS)])
                kinds = {"plain": plain, "nonce": recalibrated(plain, nonce), "weather": recalibrated(plain, weather), "batch": recalibrated(plain, plain)}
                for kind, values in kinds.items():
                    found.setdefault(kind, {}).setdefault(arrangement, []).append(100 * float((values.argmax(1) == wanted).mean()))
        row = {}
        for kind, by_arrangement in found.items():
            table = np.array([by_arrangement[a] for a in ARRANGEMENTS])  # (arrangements, sets)
            row[kind] = {"mean": round(float(table.mean()), 1), "worst": round(float(table.min(0).mean()), 1),
                         "spread": round(float(table.std(0, ddof=1).mean()), 1),
                         "by arrangement": [round(float(v), 1) for v in table.mean(1)]}  # fmt: skip
        say(part="order_effects", body=name, task=label, arrangements=ARRANGEMENTS if label == "sentiment" else None, **row)


def gpt(name):
    layers, width, steps = GPTS[name]
    model = b.new_gpt(layers, width)
    arm = "glossaries" if name.endswith("-glossaries") else ""
    b.train(model, steps_of(steps), b.gpt_batch, True, name=name, arm=arm)
    torch.save(model.state_dict(), WORK / f"{name}.partial")
    os.replace(WORK / f"{name}.partial", WORK / f"{name}.pt")
    for measure in (gates, in_context) if arm else (gates, in_context, tasks, derivations, order_effects):
        try:
            measure(model, name)
        except Exception as error:  # the next measure may still work
            say(part="error", body=name, what=measure.__name__, error=repr(error)[:300])


# ------------------------------------------------------------------------------------------------- BERT


def bert(name):
    rotary, steps, share = BERTS[name]
    model = b.new_bert(rotary=rotary)
    losses = b.train(model, steps_of(steps), b.bert_batch, False, share, name=f"bert {name}")
    row, sides = {}, {"left": [], "right": []}
    for relation in relations().values():
        for frame in relation.sentences:
            side = "left" if frame.index("{s}") < frame.index("{o}") else "right"
            sides[side] += [(frame.format(s=s, o="[MASK]"), o) for s, o in relation.table.items()]
    for side, pairs in sides.items():
        row[f"facts, clue {side}"] = pairs
    row["dialects"] = [(f"in {d} the {n} is called [MASK] .", y) for d, t in dialect_forms().items() for n, y in t.items()]
    row["map"] = [(f"{way} of {place} is [MASK] .", target) for (place, way), target in neighbours().items()]
    chance = Chance("pilot/bert")
    for task in ("sentiment", "topic", "is_animal", "is_large", "verdict", "dialect", "capital"):
        asked = [list_query(chance, lists.list_tasks()[task], 4) for _ in range(COUNT)]
        row[f"{task}, 4 demonstrations"] = [(f"{list_prompt(shown, x)} [MASK] \n", y) for shown, x, y in asked]
        row[f"{task}, none"] = [(f"{lists.list_tasks()[task].title} \n {x} : [MASK] \n", y) for _, x, y in asked]
    for task in ("inference", "consistency", "where", "who", "closed_book", "fact_check", "story_check"):
        row[task] = [(f"{exercise_prompt(task, e)} [MASK] \n", e.output) for e in exercise_items(task, COUNT)]
    row["sums train"] = [(f"{s} = [MASK] .", r) for s, r in sums.all_steps().items() if is_train(sums.SPLIT_KEY, s)][:COUNT * 3]
    found = {}
    for what, pairs in row.items():
        scores = b.fill(model, [t for t, _ in pairs])
        found[what] = round(100 * float((scores.argmax(-1) == torch.tensor([V[y] for _, y in pairs])).float().mean()), 1)
    say(part="bert", body=name, steps=steps, falling_by=round(losses[-6] - losses[-1], 4) if len(losses) > 6 else None, **found)


# ------------------------------------------------------------------------------------------- best of n


def group_of(question):
    """The questions of a reward model; those that the policy has read but the reward model has not; those that nobody has."""
    if not is_train(conduct.SPLIT_KEY, question):
        return "new"
    return "judged" if split_of("pilot/bon", question) == TRAIN and split_of("pilot/half", question) == TRAIN else "known"


def questions(group, count, chance):
    kinds = ["place"] * 3 + ["way"] * 5 + ["unknown"] * 2
    found = []
    while len(found) < count:
        question = conduct.draw_question(chance, chance.pick(kinds))
        if group_of(question) == group:
            found.append(question)
    return found


def dialogue(question):
    return f"visitor : {question} \n guide :"


class RewardModel(torch.nn.Module):
    """A pretrained body with a head on the last token."""

    def __init__(self, body, seed):
        super().__init__()
        torch.manual_seed(seed)
        self.body = body
        self.head = torch.nn.Linear(body.config.hidden_size, 1).to(DEVICE)
        torch.nn.init.zeros_(self.head.weight)

    def forward(self, ids, last):
        with torch.autocast(DEVICE, dtype=torch.bfloat16):
            hidden = self.body(input_ids=ids, use_cache=False).last_hidden_state
        return self.head(hidden[torch.arange(len(ids), device=DEVICE), last].float()).squeeze(-1)


def padded(rows):
    width = max(map(len, rows))
    ids = torch.tensor([row + [V[b.PAD]] * (width - len(row)) for row in rows], device=DEVICE)
    return ids, torch.tensor([len(row) - 1 for row in rows], device=DEVICE)


def dialogue_ids(question, reply):
    return [V[b.END], *b.encode(f"{dialogue(question)} {reply} \n")]


@torch.inference_mode()
def rewards(reward_model, rows, batch=2048):
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
    found = np.zeros(len(rows))
    for start in range(0, len(rows), batch):
        part = order[start : start + batch]
        found[part] = reward_model(*padded([rows[i] for i in part])).cpu().numpy()
    return found


def load_body(name):
    layers, width, _ = GPTS[name]
    model = b.new_gpt(layers, width)
    while not (WORK / f"{name}.pt").exists():
        time.sleep(1)
    model.load_state_dict(torch.load(WORK / f"{name}.pt", map_location=DEVICE))
    return model


def train_reward(body_name, comparisons, seed, epochs=10):
    """Bradley-Terry on (better, worse) rows of ids; the epoch with the best held-out accuracy is kept. One fifth is held out."""
    model = RewardModel(load_body(body_name).gpt_neox, seed)
    held = max(10, len(comparisons) // 5)
    valid, data = comparisons[:held], comparisons[held:]
    optimizer = torch.optim.AdamW([{"params": model.body.parameters(), "lr": 5e-4}, {"params": model.head.parameters(), "lr": 5e-3}], weight_decay=0.01)
    draws, best, kept = np.random.default_rng(seed), (-1.0, 0.0), None
    total = epochs * math.ceil(len(data) / 64)
    done = 0
    for _ in range(epochs):
        for part in np.array_split(draws.permutation(len(data)), math.ceil(len(data) / 64)):
            rows = [data[i][0] for i in part] + [data[i][1] for i in part]
            values = model(*padded(rows))
            better, worse = values.chunk(2)
            loss = -torch.nn.functional.logsigmoid(better - worse).mean()
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            share = min(1.0, (done + 1) / 10) * (1 - done / total)
            for group, peak in zip(optimizer.param_groups, (5e-4, 5e-3), strict=True):
                group["lr"] = peak * share
            optimizer.step()
            done += 1
        values = rewards(model, [row for pair in valid for row in pair])
        margin = values[::2] - values[1::2]
        score = (float((margin > 0).mean()), -float(np.log1p(np.exp(-margin)).mean()))
        if score > best:
            best, kept = score, {key: value.clone() for key, value in model.state_dict().items()}
    model.load_state_dict(kept)
    return model, best[0]


def best_of(values, n):
    """Expected value of the first by rank among n drawn of N without replacement: values (questions, N) sorted by falling proxy."""
    size = values.shape[1]
    ranks = np.arange(size)
    logs = [math.lgamma(size - r) - math.lgamma(n) - math.lgamma(size - r - n + 1) if size - r >= n else -np.inf for r in ranks]
    weights = np.exp(np.array(logs) - (math.lgamma(size + 1) - math.lgamma(n + 1) - math.lgamma(size - n + 1)))
    return (values * weights).sum(1)


def bon(policy, reward_body, seeds):
    """(a) does the gold reward of the best of n by an honest proxy peak and fall?"""
    most, asked_count, per_question = (16, 6, 4) if TINY else (512, 150, 16)
    model, chance = load_body(policy), Chance("pilot/bon")
    model.eval()
    train = questions("judged", 12 if TINY else 400, chance)
    asked = [q for group in ("known", "new") for q in questions(group, asked_count // 2, chance)]
    groups = {group: [i for i, q in enumerate(asked) if group_of(q) == group] for group in ("known", "new")}
    started = time.time()
    on_policy = b.generate(model, [dialogue(q) for q in train], n=per_question, temperature=1.0, seed=2)
    written = b.generate(model, [dialogue(q) for q in asked], n=most, temperature=1.0, seed=3)
    truth = np.array([[gold.gold_reward(q, r) for r in found] for q, found in zip(asked, written, strict=True)])
    graded = [[(r, gold.gold_reward(q, r)) for r in found] for q, found in zip(train, on_policy, strict=True)]
    kinds = [conduct.kind_of(q) for q in asked]
    manners = Counter(gold.manner_of(q, r) for q, found in zip(asked, written, strict=True) for r in found[:32])
    numbers = [n for n in (1, 2, 4, 8, 16, 32, 64, 128, 256, 512) if n <= most]
    best = -np.sort(-truth, axis=1)
    say(part="bon policy", policy=policy, seconds=round(time.time() - started, 1), gold=round(float(truth.mean()), 3),
        spread=round(float(truth.std(1).mean()), 3), best_by_n={n: round(float(best_of(best, n).mean()), 3) for n in numbers},
        by_group={g: round(float(truth[at].mean()), 2) for g, at in groups.items()},
        true_by_group={g: round(float(np.mean([gold.states_truth(asked[i], r) for i in at for r in written[i][:16]])), 2) for g, at in groups.items()},
        by_kind={k: round(float(truth[[i for i, x in enumerate(kinds) if x == k]].mean()), 2) for k in set(kinds)},
        true_by_kind={k: round(float(np.mean([gold.states_truth(q, r) for q, found, x in zip(asked, written, kinds, strict=True) if x == k for r in found[:16]])), 2)
                      for k in set(kinds)},
        manners={str(k): round(v / sum(manners.values()), 3) for k, v in manners.most_common()},
        examples=[f"{q} -> {found[0]}" for q, found in zip(asked[:6], written[:6], strict=True)])  # fmt: skip
    rows = [dialogue_ids(q, r) for q, found in zip(asked, written, strict=True) for r in found]
    for seed in seeds:
        draw = np.random.default_rng([SEED, seed])
        for m in MS:
            comparisons, tries = [], 0
            while len(comparisons) < m and tries < 50 * m:
                tries += 1
                q = draw.integers(len(train))
                i, j = draw.choice(per_question, 2, replace=False)
                (first, a), (second, c) = graded[q][i], graded[q][j]
                if a != c:
                    better, worse = (first, second) if a > c else (second, first)
                    comparisons.append((dialogue_ids(train[q], better), dialogue_ids(train[q], worse)))
            reward_model, valid = train_reward(reward_body, comparisons, seed)
            proxy = rewards(reward_model, rows).reshape(truth.shape)
            order = np.argsort(-proxy, axis=1)
            by_rank, by_rank_proxy = np.take_along_axis(truth, order, 1), np.take_along_axis(proxy, order, 1)
            golds = {n: best_of(by_rank, n) for n in numbers}
            means = {n: float(v.mean()) for n, v in golds.items()}
            peak = max(means, key=means.get)
            fall = golds[peak] - golds[numbers[-1]]
            chosen = [found[o[0]] for found, o in zip(written, order, strict=True)]
            readings = [gold.read(q, r) for q, r in zip(asked, chosen, strict=True)]
            say(part="bon", policy=policy, reward=reward_body, m=m, seed=int(seed), valid=round(valid, 3),
                right=round(float(np.mean([np.corrcoef(p, t)[0, 1] for p, t in zip(proxy, truth, strict=True) if t.std() > 0])), 3),
                gold={n: round(v, 3) for n, v in means.items()}, proxy={n: round(float(best_of(by_rank_proxy, n).mean()), 2) for n in numbers},
                peak=peak, fall=round(float(fall.mean()), 3), fall_error=round(float(fall.std() / math.sqrt(len(fall))), 3),
                gold_by_group={g: [round(float(golds[n][at].mean()), 2) for n in numbers] for g, at in groups.items()},
                fall_by_group={g: [int(numbers[int(np.argmax([golds[n][at].mean() for n in numbers]))]),
                                   round(float(max(golds[n][at].mean() for n in numbers) - golds[numbers[-1]][at].mean()), 3)] for g, at in groups.items()},
                gold_by_kind={k: [round(float(golds[n][[i for i, x in enumerate(kinds) if x == k]].mean()), 2) for n in numbers] for k in set(kinds)},
                chosen={"courtesies": round(float(np.mean([x.courtesies for x in readings])), 2), "length": round(float(np.mean([x.length for x in readings])), 1),
                        "false": round(float(np.mean([x.false + x.hedged_false for x in readings])), 2),
                        "asides": round(float(np.mean([x.asides for x in readings])), 2)},
                example=f"{asked[0]} -> {chosen[0]}" if seed == 0 else None)  # fmt: skip


# --------------------------------------------------------------------------------------------- the whole


def everything(limit):
    """All jobs, the important ones first, several at a time; a job whose graph fails is tried again without."""
    started = time.time()
    os.environ["PILOT_T0"] = str(started)
    b.OUT.mkdir(parents=True, exist_ok=True)
    cores = os.cpu_count() or 2
    b.make_data(DATA_STEPS, max(1, cores - 1))
    b.make_data(min(DATA_STEPS, 4600), max(1, cores - 1), "glossaries")
    seeds = ["0"] if TINY else None
    jobs = [["gpt", "large"], ["gpt", "middle"], ["gpt", "large-long"], ["bert", "rot-40to15-long"], ["bert", "rot-40to15-xlong"],
            ["gpt", "small"], ["gpt", "large-glossaries"], ["gpt", "middle-glossaries"],
            ["bon", "middle", "middle", *(seeds or ["0"])], ["bon", "middle", "middle", *(seeds or ["1"])]]  # fmt: skip
    at_once, running, again = (2 if TINY else 8), [], set()
    while (jobs or running) and time.time() - started < limit:
        for process, job, file in list(running):
            if process.poll() is not None:
                running.remove((process, job, file))
                file.close()
                if process.returncode and tuple(job) not in again:
                    again.add(tuple(job))
                    say(part="failed", job=job, tail=Path(file.name).read_text()[-600:])
                    jobs.insert(0, job)
        if jobs and len(running) < at_once:
            job = jobs.pop(0)
            graph = "0" if tuple(job) in again else "1"
            environment = os.environ | {"PILOT_GRAPH": graph, "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
            file = open(b.OUT / f"log-{'-'.join(job)}.txt", "w") if TINY else open(WORK / f"log-{'-'.join(job)}.txt", "w")
            running.append((subprocess.Popen([sys.executable, __file__, *job], env=environment, stdout=file, stderr=subprocess.STDOUT), job, file))
        time.sleep(0.5)
    for process, job, _ in running:
        say(part="cut", job=job)
        process.kill()
    say(part="end", left=jobs)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["all", "data", "gpt", "bert", "bon"])
    parser.add_argument("rest", nargs="*")
    parser.add_argument("--limit", type=float, default=480)
    given = parser.parse_args()
    torch.set_num_threads(1)
    if given.what == "all":
        everything(given.limit)
    elif given.what == "data":
        b.make_data(DATA_STEPS, os.cpu_count())
    elif given.what == "bon":
        bon(given.rest[0], given.rest[1], [int(s) for s in given.rest[2:]])
    else:
        {"gpt": gpt, "bert": bert}[given.what](given.rest[0])
