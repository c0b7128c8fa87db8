"""Right and wrong answers to every exercise that has a checker; each wrong one is a mistake that a
student may make.
"""

import math
import re
from collections import Counter

import numpy as np
import torch
from torch.nn.functional import logsigmoid

IGNORED = -100


def right_causal_mask(length):
    return torch.ones(length, length).tril().bool()


def right_masked_inputs(ids, positions, mask_id):
    inputs = [mask_id if i in positions else t for i, t in enumerate(ids)]
    return inputs, [t if i in positions else IGNORED for i, t in enumerate(ids)]


def in_place_masking(ids, positions, mask_id):
    labels = [t if i in positions else IGNORED for i, t in enumerate(ids)]
    for i in positions:
        ids[i] = mask_id
    return ids, labels


def right_fill_in_blank(log_p, before, after, candidates):
    return max(candidates, key=lambda w: log_p(f"{before} {w} {after}".strip()))


def right_attention_mask(lengths):
    places = torch.arange(max(lengths))
    return (places < torch.tensor(lengths)[:, None]).long()


def right_mean_pooling(vectors, mask):
    kept = mask[..., None].to(vectors.dtype)
    return (vectors * kept).sum(1) / kept.sum(1)


def right_entities(tags):
    found, kind, begin = [], "", 0
    for i, tag in enumerate([*tags, "O"]):
        if kind and tag != f"I-{kind}":
            found.append((kind, begin, i))
            kind = ""
        if tag != "O" and not kind:
            kind, begin = tag[2:], i
    return found


def strict_entities(tags):
    """An I- that continues nothing is passed over."""
    found = []
    for i, tag in enumerate(tags):
        if tag.startswith("B-"):
            end = i + 1
            while end < len(tags) and tags[end] == f"I-{tag[2:]}":
                end += 1
            found.append((tag[2:], i, end))
    return found


def right_best_span(start, end, longest):
    size = len(start)
    spans = [(a, b) for a in range(1, size) for b in range(a, size) if b - a < longest]
    return max([(0, 0), *spans], key=lambda s: start[s[0]] + end[s[1]])


def span_within(start, end, most):
    spans = [(a, b) for a in range(1, len(start)) for b in range(a, len(start)) if b - a <= most]
    return max([(0, 0), *spans], key=lambda s: start[s[0]] + end[s[1]])


def right_lora_forward(x, weight, bias, A, B, alpha):
    return x @ weight.T + bias + alpha / A.shape[0] * (x @ A.T @ B.T)


def right_few_shot_prompt(instruction, demonstrations, query):
    items = [f"Input: {x}\nOutput: {y}\n\n" for x, y in demonstrations]
    told = f"{instruction}\n\n" if instruction else ""
    return told + "".join(items) + f"Input: {query}\nOutput:"


def formatted_prompt(instruction, demonstrations, query):
    try:
        return right_few_shot_prompt(instruction, demonstrations, query).format(x="?")
    except (KeyError, IndexError):
        return ""


def right_calibration(probabilities, content_free):
    divided = probabilities / content_free
    return divided / divided.sum(1, keepdims=True)


def right_task_posterior(prior, log_likelihoods):
    scores = np.log(prior) + log_likelihoods.sum(0)
    weights = np.exp(scores - scores.max())
    return weights / weights.sum()


def posterior_by_products(prior, log_likelihoods):
    joint = prior * np.exp(log_likelihoods.sum(0))
    with np.errstate(invalid="ignore"):
        return joint / joint.sum()


def right_completion_labels(prompt, completion, length):
    labels = [IGNORED] * len(prompt) + completion
    return labels + [IGNORED] * (length - len(labels))


def labels_by_value(prompt, completion, length):
    labels = [IGNORED if t in prompt else t for t in prompt + completion]
    return labels + [IGNORED] * (length - len(labels))


def right_leave_cluster_out(clusters, held_out):
    test = [task for task, names in clusters.items() if held_out in names]
    return [task for task in clusters if task not in test], test


def sums_of(chain):
    """The sums of a chain, each as (a, sign, b, result)."""
    return re.findall(r"(\d+) ([+-]) (\d+) = (\d+)", chain)


def right_first_false_sum(chain):
    for place, (a, sign, b, result) in enumerate(sums_of(chain), start=1):
        if int(a) + (1 if sign == "+" else -1) * int(b) != int(result):
            return place
    return None


def last_false_sum(chain):
    before = 0
    while place := right_first_false_sum(chain):
        before += place
        chain = " . ".join(f"{a} {s} {b} = {c}" for a, s, b, c in sums_of(chain)[place:])
    return before or None


def false_sentence(chain):
    """The place of the sentence, not of the sum."""
    for place, sentence in enumerate(re.split(r"[.,]", chain), start=1):
        if right_first_false_sum(sentence):
            return place
    return None


def right_majority_vote(answers):
    cast = [a for a in answers if a is not None]
    return Counter(cast).most_common(1)[0][0] if cast else None


def right_vote_is_decided(answers, n):
    left = n - len(answers)
    counts = {a: answers.count(a) for a in dict.fromkeys(answers)} | {"new": 0}
    leader = max(counts, key=counts.__getitem__)
    order = list(counts)
    return all(
        other == leader
        or votes + left < counts[leader]
        or (votes + left == counts[leader] and order.index(leader) < order.index(other))
        for other, votes in counts.items()
    )


def decided_by_lead(answers, n):
    """No answer is new, and a tie counts as undecided."""
    votes = sorted(Counter(answers).values(), reverse=True)
    second = votes[1] if len(votes) > 1 else 0
    return votes[0] - second > n - len(answers)


def right_top_k(probabilities, k):
    values = torch.tensor(probabilities)
    best = values.topk(min(k, len(values))).indices
    kept = torch.zeros_like(values)
    kept[best] = values[best]
    return kept / kept.sum()


def right_nucleus(probabilities, p):
    kept, reached = [0.0] * len(probabilities), 0.0
    for i in sorted(range(len(probabilities)), key=lambda i: -probabilities[i]):
        if reached >= p:
            break
        kept[i] = probabilities[i]
        reached += probabilities[i]
    return [value / reached for value in kept]


def nucleus_without_the_last(probabilities, p):
    kept, reached = [0.0] * len(probabilities), 0.0
    for i in sorted(range(len(probabilities)), key=lambda i: -probabilities[i]):
        if reached + probabilities[i] > p:
            break
        kept[i] = probabilities[i]
        reached += probabilities[i]
    return [value / reached for value in kept]


def nucleus_too_wide(probabilities, p):
    kept, reached = [0.0] * len(probabilities), 0.0
    for i in sorted(range(len(probabilities)), key=lambda i: -probabilities[i]):
        if reached > p:
            break
        kept[i] = probabilities[i]
        reached += probabilities[i]
    return [value / reached for value in kept]


def right_hotflip(gradient, table, current, k):
    change = (table - table[current]) @ gradient
    change[current] = float("inf")
    return change.topk(k, largest=False).indices.tolist()


def right_ucb_choice(means, counts, exploration):
    if 0 in counts:
        return counts.index(0)
    log = math.log(sum(counts))
    bounds = [m + exploration * math.sqrt(log / c) for m, c in zip(means, counts, strict=True)]
    return int(np.argmax(bounds))


def ucb_with(bonus):
    def choice(means, counts, exploration):
        if 0 in counts:
            return counts.index(0)
        bounds = [
            m + exploration * bonus(c, sum(counts)) for m, c in zip(means, counts, strict=True)
        ]
        return int(np.argmax(bounds))

    return choice


def halving(half, more, last_alone=False):
    def plan(candidates, items):
        left, used, rounds = candidates, 1, []
        while left > 1 or not rounds or (last_alone and left == 1 and rounds[-1][0] > 1):
            rounds.append((left, used))
            if used == items:
                break
            left, used = half(left), min(more(used), items)
        return rounds

    return plan


def half_up(count):
    return math.ceil(count / 2)


def right_policy_gradient_loss(log_p, rewards):
    mean, std = rewards.mean(1, keepdim=True), rewards.std(1, correction=0, keepdim=True)
    return -(((rewards - mean) / (std + 1e-6))[..., None] * log_p).mean()


def pooled_policy_loss(log_p, rewards):
    standard = (rewards - rewards.mean()) / (rewards.std(correction=0) + 1e-6)
    return -(standard[..., None] * log_p).mean()


def right_soft_prompt_insertion(vectors, embedded, mask):
    count, texts = len(vectors), len(embedded)
    before = vectors[None].expand(texts, -1, -1)
    ones = mask.new_ones(texts, count)
    return torch.cat([before, embedded], 1), torch.cat([ones, mask], 1)


def inserted_behind(vectors, embedded, mask):
    inputs, mask = right_soft_prompt_insertion(vectors, embedded, mask)
    return inputs.roll(-len(vectors), 1), mask


def right_group_advantages(rewards, method):
    count, centred = rewards.shape[1], rewards - rewards.mean(1, keepdim=True)
    if method == "rloo":
        return centred * count / (count - 1)
    return centred / (rewards.std(1, keepdim=True) + 1e-4)


def advantages_with_own_baseline(rewards, method):
    centred = rewards - rewards.mean(1, keepdim=True)
    return centred if method == "rloo" else right_group_advantages(rewards, method)


def advantages_of_the_table(rewards, method):
    flat = right_group_advantages(rewards.reshape(1, -1), method)
    return flat.view_as(rewards)


def biased_deviation(rewards, method):
    if method == "rloo":
        return right_group_advantages(rewards, method)
    centred = rewards - rewards.mean(1, keepdim=True)
    return centred / (rewards.std(1, correction=0, keepdim=True) + 1e-4)


def divided_by_zero(rewards, method):
    if method == "rloo":
        return right_group_advantages(rewards, method)
    return (rewards - rewards.mean(1, keepdim=True)) / rewards.std(1, keepdim=True)


def right_kl_estimate(log_p, log_reference, estimator):
    x = log_p - log_reference
    return {"k1": x, "k2": x.square() / 2, "k3": torch.expm1(-x) + x}[estimator]


def third_estimator(formula):
    def estimate(log_p, log_reference, estimator):
        if estimator == "k3":
            return formula(log_p - log_reference)
        return right_kl_estimate(log_p, log_reference, estimator)

    return estimate


def right_bradley_terry_loss(chosen, rejected):
    return -logsigmoid(chosen - rejected)


def right_dpo_loss(chosen, rejected, reference_chosen, reference_rejected, beta):
    return -logsigmoid(beta * (chosen - reference_chosen - rejected + reference_rejected))


def dpo_scaled_late(chosen, rejected, reference_chosen, reference_rejected, beta):
    return -beta * logsigmoid(chosen - reference_chosen - rejected + reference_rejected)


def dpo_of_sigmoids(chosen, rejected, reference_chosen, reference_rejected, beta):
    margin = beta * (chosen - reference_chosen - rejected + reference_rejected)
    return -torch.sigmoid(margin).log()


def right_clipped_objective(log_p, old, advantages, clip):
    ratio, advantage = (log_p - old).exp(), advantages[:, None]
    return torch.minimum(ratio * advantage, ratio.clamp(1 - clip, 1 + clip) * advantage)


def always_clipped(log_p, old, advantages, clip):
    return (log_p - old).exp().clamp(1 - clip, 1 + clip) * advantages[:, None]


def ratio_of_logs(log_p, old, advantages, clip):
    ratio, advantage = log_p - old, advantages[:, None]
    return torch.minimum(ratio * advantage, ratio.clamp(1 - clip, 1 + clip) * advantage)


def averaged_objective(log_p, old, advantages, clip):
    return right_clipped_objective(log_p, old, advantages, clip).mean()


#: Exercise -> its right answer.
RIGHT = {
    name.removeprefix("right_"): value
    for name, value in dict(globals()).items()
    if name.startswith("right_")
} | {
    "break_even": lambda trained, prompted, tuned: (
        math.ceil(trained / (prompted - tuned)) if prompted > tuned else None
    ),
    "bottleneck_size": lambda width, r, layers: 2 * layers * (2 * width * r + r + width),
    "halving_plan": halving(half_up, lambda used: 2 * used),
    "lora_merge": lambda weight, A, B, alpha: weight + alpha / A.shape[0] * B @ A,
    "lora_size": lambda rows, columns, r: r * (rows + columns),
}

#: Exercise -> the mistakes, each with a word that the verdict must say.
WRONG = {
    "causal_mask": {
        "the future instead of the past": (lambda n: ~right_causal_mask(n), "lower triangle"),
        "a token does not see itself": (lambda n: torch.ones(n, n).tril(-1).bool(), "itself"),
        "all see all, as in BERT": (lambda n: torch.ones(n, n).bool(), "length=3"),
        "transposed": (lambda n: right_causal_mask(n).T, "expected [[1, 0, 0]"),
        "squeezed": (lambda n: right_causal_mask(n).squeeze(), "single token"),
    },
    "masked_inputs": {
        "labels everywhere": (lambda i, p, m: (right_masked_inputs(i, p, m)[0], i), "value 2"),
        "nothing masked": (lambda i, p, m: (i, right_masked_inputs(i, p, m)[1]), "value 1"),
        "the input is changed": (in_place_masking, "changed its input ids"),
        "the first position alone": (
            lambda i, p, m: right_masked_inputs(i, p[:1], m),
            "several positions",
        ),
        "masked by value": (
            lambda i, p, m: right_masked_inputs(
                i, [j for j, t in enumerate(i) if t in [i[k] for k in p]], m
            ),
            "equal ids",
        ),
        "inputs alone": (lambda i, p, m: right_masked_inputs(i, p, m)[0], "2 values"),
    },
    "fill_in_blank": {
        "what stands behind is not read": (
            lambda log_p, b, a, c: max(c, key=lambda w: log_p(f"{b} {w}".strip())),
            "whole sentence",
        ),
        "the least likely": (
            lambda log_p, b, a, c: min(c, key=lambda w: log_p(f"{b} {w} {a}".strip())),
            "velmar",
        ),
        "its number": (
            lambda log_p, b, a, c: c.index(right_fill_in_blank(log_p, b, a, c)),
            "expected 'velmar', got 1",
        ),
        "stray spaces": (
            lambda log_p, b, a, c: max(c, key=lambda w: log_p(f"{b} {w} {a}")),
            "beginning",
        ),
        "the sentence": (
            lambda log_p, b, a, c: f"{b} {right_fill_in_blank(log_p, b, a, c)} {a}",
            "expected 'velmar'",
        ),
    },
    "attention_mask": {
        "padding on the left": (lambda n: right_attention_mask(n).flip(1), "then zeros"),
        "zeros and ones exchanged": (lambda n: 1 - right_attention_mask(n), "as many ones"),
        "one place too few": (lambda n: right_attention_mask(n)[:, :-1], "the shape"),
        "a row too few for one text": (lambda n: right_attention_mask(n).squeeze(0), "one row"),
        "all ones": (lambda n: torch.ones(len(n), max(n)), "lengths=[3, 1]"),
    },
    "mean_pooling": {
        "padding counts": (lambda v, m: v.mean(1), "padding"),
        "a sum": (lambda v, m: (v * m[..., None]).sum(1), "number of tokens"),
        "divided by the length": (lambda v, m: (v * m[..., None]).mean(1), "number of tokens"),
        "the first tokens": (
            lambda v, m: torch.stack([v[i, : m[i].sum()].mean(0) for i in range(len(v))]),
            "on the left",
        ),
        "no row for one text": (lambda v, m: right_mean_pooling(v, m).squeeze(0), "(1, H)"),
    },
    "entities": {
        "end included": (
            lambda tags: [(k, a, b - 1) for k, a, b in right_entities(tags)],
            "('PER', 1, 3)",
        ),
        "neighbours run together": (
            lambda tags: right_entities([t.replace("B-", "I-") for t in tags]),
            "another one",
        ),
        "the last one is lost": (
            lambda tags: [e for e in right_entities(tags) if e[2] < len(tags)],
            "end of the text",
        ),
        "an I- that continues nothing is lost": (strict_entities, "continues nothing"),
        "places without kinds": (
            lambda tags: [e[1:] for e in right_entities(tags)],
            "expected [('PER', 1, 3), ('CITY', 4, 5)]",
        ),
    },
    "best_span": {
        "each end by itself": (
            lambda s, e, n: (int(np.argmax(s)), int(np.argmax(e))),
            "before the first",
        ),
        "any length": (lambda s, e, n: right_best_span(s, e, len(s)), "`longest`"),
        "one token too long": (span_within, "`longest`"),
        "always an answer": (
            lambda s, e, n: max(
                ((a, b) for a in range(1, len(s)) for b in range(a, len(s)) if b - a < n),
                key=lambda t: s[t[0]] + e[t[1]],
            ),
            "no answer",
        ),
        "from token 0": (
            lambda s, e, n: max(
                ((a, b) for a in range(len(s)) for b in range(a, len(s)) if b - a < n),
                key=lambda t: s[t[0]] + e[t[1]],
            ),
            "[CLS]",
        ),
    },
    "lora_forward": {
        "no scale": (lambda x, w, b, A, B, a: x @ w.T + b + x @ A.T @ B.T, "alpha / r"),
        "no rank": (lambda x, w, b, A, B, a: x @ w.T + b + a * (x @ A.T @ B.T), "alpha / r"),
        "no bias": (
            lambda x, w, b, A, B, a: right_lora_forward(x, w, 0 * b, A, B, a),
            "expected",
        ),
        "no frozen layer": (
            lambda x, w, b, A, B, a: a / len(A) * (x @ A.T @ B.T),
            "expected",
        ),
        "matrices the other way round": (
            lambda x, w, b, A, B, a: x @ w.T + b + a / len(A) * (x @ B @ A),
            "raised RuntimeError",
        ),
        "one row alone": (
            lambda x, w, b, A, B, a: right_lora_forward(x.flatten(0, -2), w, b, A, B, a),
            "more dimensions",
        ),
    },
    "lora_merge": {
        "no scale": (lambda w, A, B, a: w + B @ A, "alpha / r"),
        "times the rank": (lambda w, A, B, a: w + a * len(A) * B @ A, "alpha / r"),
        "the change alone": (lambda w, A, B, a: a / len(A) * B @ A, "W + alpha"),
        "transposed where it fits": (
            lambda w, A, B, a: (
                w + a / len(A) * (A @ B if len(A) == len(w) == A.shape[1] else B @ A)
            ),
            "on the left",
        ),
        "in place": (lambda w, A, B, a: w.add_(a / len(A) * B @ A), "changed its input weight"),
    },
    "lora_size": {
        "of the matrix": (lambda m, n, r: m * n, "thin matrices"),
        "a product": (lambda m, n, r: r * m * n, "expected 16, got 30"),
        "one of the two": (lambda m, n, r: r * n, "expected 16, got 10"),
        "never more than the matrix": (lambda m, n, r: min(m * n, r * (m + n)), "expected 16"),
    },
    "break_even": {
        "the whole prompt": (lambda t, p, q: math.ceil(t / p), "what each answer saves"),
        "rounded down": (lambda t, p, q: t // (p - q) if p > q else None, "round up"),
        "a fraction": (lambda t, p, q: t / (p - q) if p > q else None, "round up"),
        "divided by zero": (lambda t, p, q: math.ceil(t / (p - q)), "ZeroDivisionError"),
        "endless": (lambda t, p, q: math.ceil(t / (p - q)) if p > q else math.inf, "None"),
    },
    "bottleneck_size": {
        "without biases": (lambda d, r, n: 4 * n * d * r, "b_down"),
        "one a layer": (lambda d, r, n: n * (2 * d * r + r + d), "two adapters"),
        "one layer": (lambda d, r, n: 2 * (2 * d * r + r + d), "layers=4"),
        "wide biases": (lambda d, r, n: 2 * n * (2 * d * r + 2 * d), "b_up"),
    },
    "few_shot_prompt": {
        "a space at the end": (lambda i, d, q: right_few_shot_prompt(i, d, q) + " ", "a space"),
        "no demonstrations": (lambda i, d, q: right_few_shot_prompt(i, [], q), "demonstrations"),
        "the other way round": (
            lambda i, d, q: right_few_shot_prompt(i, d[::-1], q),
            "in the order",
        ),
        "an empty instruction": (
            lambda i, d, q: f"{i}\n\n" + right_few_shot_prompt("", d, q),
            "without an instruction",
        ),
        "formatted": (formatted_prompt, "braces"),
        "the query before its examples": (
            lambda i, d, q: right_few_shot_prompt(i, [], q) + str(d if d else ""),
            "expected",
        ),
    },
    "calibration": {
        "multiplied": (lambda p, c: right_calibration(p, 1 / c), "divide"),
        "not normalised": (lambda p, c: p / c, "sum to 1"),
        "subtracted": (lambda p, c: p - c, "divide"),
        "over questions": (lambda p, c: (p / c) / (p / c).sum(0, keepdims=True), "each row"),
        "not at all": (lambda p, c: p, "divide"),
    },
    "task_posterior": {
        "no prior": (lambda p, ll: right_task_posterior(np.ones_like(p), ll), "the prior"),
        "products": (posterior_by_products, "must not become 0"),
        "the mean": (
            lambda p, ll: right_task_posterior(p, ll.mean(0, keepdims=True) if len(ll) else ll),
            "of all demonstrations",
        ),
        "the last one": (lambda p, ll: right_task_posterior(p, ll[-1:]), "of all demonstrations"),
        "not normalised": (lambda p, ll: p * np.exp(ll.sum(0)), "sum to 1"),
        "the likeliest": (
            lambda p, ll: (right_task_posterior(p, ll) > 0.5).astype(float),
            "expected",
        ),
    },
    "completion_labels": {
        "the prompt counts": (
            lambda p, c, n: right_completion_labels([], p + c, n),
            "-100 at each",
        ),
        "shifted": (lambda p, c, n: right_completion_labels(p, c, n)[1:] + [IGNORED], "unshifted"),
        "padding counts": (
            lambda p, c, n: [IGNORED] * len(p) + c + [0] * (n - len(p + c)),
            "padding",
        ),
        "no padding": (lambda p, c, n: [IGNORED] * len(p) + c, "padding"),
        "by value": (labels_by_value, "by place"),
        "the first token of the answer is lost": (
            lambda p, c, n: right_completion_labels(p + c[:1], c[1:], n),
            "expected",
        ),
    },
    "leave_cluster_out": {
        "one task": (
            lambda c, h: (
                [t for t in c if t != right_leave_cluster_out(c, h)[1][0]],
                right_leave_cluster_out(c, h)[1][:1],
            ),
            "not one of them",
        ),
        "exchanged": (lambda c, h: right_leave_cluster_out(c, h)[::-1], "value 1"),
        "the first cluster": (
            lambda c, h: (
                [t for t, n in c.items() if n[0] != h],
                [t for t, n in c.items() if n[0] == h],
            ),
            "several clusters",
        ),
        "part of a name": (
            lambda c, h: (
                [t for t, n in c.items() if h not in " ".join(n)],
                [t for t, n in c.items() if h in " ".join(n)],
            ),
            "whole names",
        ),
    },
    "first_false_sum": {
        "from 0": (
            lambda chain: (right_first_false_sum(chain) or 1) - 1 if sums_of(chain) else None,
            "from 1",
        ),
        "the last": (last_false_sum, "not the last"),
        "0 for none": (lambda chain: right_first_false_sum(chain) or 0, "None"),
        "texts": (
            lambda chain: next(
                (
                    i
                    for i, (a, s, b, c) in enumerate(sums_of(chain), 1)
                    if str(int(a) + int(b) if s == "+" else int(a) - int(b)) != c
                ),
                None,
            ),
            "by their value",
        ),
        "a beginning": (
            lambda chain: next(
                (
                    i
                    for i, (a, s, b, c) in enumerate(sums_of(chain), 1)
                    if not str(int(a) + int(b) if s == "+" else int(a) - int(b)).startswith(c)
                ),
                None,
            ),
            "1 is not 11",
        ),
        "sentences": (false_sentence, "between the sums"),
    },
    "majority_vote": {
        "the first": (lambda answers: answers[0] if answers else None, "most frequent"),
        "no answer wins": (
            lambda answers: Counter(answers).most_common(1)[0][0] if answers else None,
            "abstain",
        ),
        "the last of equals": (
            lambda answers: right_majority_vote(answers[::-1]),
            "came first",
        ),
        "the smallest of equals": (
            lambda answers: right_majority_vote(sorted(filter(None, answers))),
            "came first",
        ),
        "a crash without votes": (
            lambda answers: Counter(filter(None, answers)).most_common(1)[0][0],
            "raised IndexError",
        ),
        "its share": (
            lambda answers: answers.count(right_majority_vote(answers)) / len(answers),
            "expected '5'",
        ),
    },
    "vote_is_decided": {
        "half of the votes": (
            lambda a, n: max(Counter(a).values()) > n / 2,
            "afford one",
        ),
        "no ties": (decided_by_lead, "afford one"),
        "ties always": (
            lambda a, n: (lambda v: v[0] - (v[1:] or [0])[0] >= n - len(a))(
                sorted(Counter(a).values(), reverse=True)
            ),
            "came first",
        ),
        "at the end": (lambda a, n: len(a) == n, "lead"),
        "never": (lambda a, n: False, "expected True, got False"),
    },
    "top_k": {
        "not normalised": (
            lambda p, k: [v if v in sorted(p)[-k:] else 0.0 for v in p],
            "sum to 1",
        ),
        "sorted": (lambda p, k: sorted(right_top_k(p, k).tolist(), reverse=True), "their places"),
        "the k least likely": (
            lambda p, k: right_top_k([1 - v for v in p], k),
            "likeliest",
        ),
        "the kept alone": (lambda p, k: [v for v in right_top_k(p, k).tolist() if v], "the shape"),
        "no more than there are": (
            lambda p, k: right_top_k(p, k) if k <= len(p) else torch.tensor(p).topk(k),
            "k may exceed",
        ),
    },
    "nucleus": {
        "without the token that reaches p": (nucleus_without_the_last, "reaches p"),
        "one too many": (nucleus_too_wide, "exactly p"),
        "not normalised": (
            lambda p, q: [v if w else 0.0 for v, w in zip(p, right_nucleus(p, q), strict=True)],
            "expected",
        ),
        "a threshold": (
            lambda p, q: [v / sum(p) if v >= q else 0.0 for v in p],
            "reaches p",
        ),
    },
    "hotflip": {
        "the worst": (lambda g, t, c, k: right_hotflip(-g, t, c, k), "lowest is the best"),
        "the current word, too": (
            lambda g, t, c, k: ((t - t[c]) @ g).topk(k, largest=False).indices.tolist(),
            "no candidate",
        ),
        "lengths do not count": (
            lambda g, t, c, k: right_hotflip(g, torch.nn.functional.normalize(t + 1e-9), c, k),
            "expected",
        ),
        "always one": (lambda g, t, c, k: right_hotflip(g, t, c, 1), "expected"),
        "nearest words": (
            lambda g, t, c, k: (t - t[c]).norm(dim=1).argsort()[1 : k + 1].tolist(),
            "gradient",
        ),
    },
    "ucb_choice": {
        "greedy": (lambda m, c, e: c.index(0) if 0 in c else m.index(max(m)), "bonus"),
        "the least tried": (lambda m, c, e: c.index(min(c)), "bonus"),
        "no root": (ucb_with(lambda own, every: math.log(every) / own), "sqrt"),
        "no logarithm": (ucb_with(lambda own, every: math.sqrt(1 / own)), "log"),
        "divided by zero": (
            lambda m, c, e: max(
                range(len(m)), key=lambda i: m[i] + e * math.sqrt(math.log(sum(c)) / c[i])
            ),
            "ZeroDivisionError",
        ),
        "its bound": (lambda m, c, e: max(m), "expected 1, got 0.6"),
    },
    "halving_plan": {
        "rounded down": (halving(lambda n: n // 2, lambda used: 2 * used), "round up"),
        "one item more": (halving(half_up, lambda used: used + 1), "double"),
        "the last one races alone": (
            halving(half_up, lambda used: 2 * used, last_alone=True),
            "needs no round",
        ),
        "more items than there are": (
            lambda n, items: halving(half_up, lambda used: 2 * used)(n, 10**9),
            "than there are",
        ),
        "nothing for one": (
            lambda n, items: RIGHT["halving_plan"](n, items) if n > 1 else [],
            "single candidate",
        ),
    },
    "policy_gradient_loss": {
        "a gain": (lambda p, r: -right_policy_gradient_loss(p, r), "minus"),
        "no baseline": (lambda p, r: -(r[..., None] * p).mean(), "advantage"),
        "over all contexts": (pooled_policy_loss, "of its own"),
        "divided by zero": (
            lambda p, r: (
                -(
                    ((r - r.mean(1, keepdim=True)) / r.std(1, correction=0, keepdim=True))[
                        ..., None
                    ]
                    * p
                ).mean()
            ),
            "the deviation is 0",
        ),
        "a number without a gradient": (
            lambda p, r: right_policy_gradient_loss(p, r).item(),
            "no gradient flows",
        ),
        "a sum": (lambda p, r: right_policy_gradient_loss(p, r) * p.numel(), "mean"),
    },
    "soft_prompt_insertion": {
        "behind the text": (inserted_behind, "before each text"),
        "the old mask": (
            lambda v, e, m: (right_soft_prompt_insertion(v, e, m)[0], m),
            "value 2",
        ),
        "a mask of zeros": (
            lambda v, e, m: (
                right_soft_prompt_insertion(v, e, m)[0],
                torch.cat([m.new_zeros(len(e), len(v)), m], 1),
            ),
            "is 1 there",
        ),
        "added to the text": (
            lambda v, e, m: (e + v.mean(0) if len(v) else e, m),
            "the shape",
        ),
        "cut off from the gradient": (
            lambda v, e, m: right_soft_prompt_insertion(v.detach(), e, m),
            "no gradient flows from it to vectors",
        ),
    },
    "group_advantages": {
        "a baseline with the sample itself": (advantages_with_own_baseline, "itself"),
        "one group for all": (advantages_of_the_table, "group of its own"),
        "n in the denominator": (biased_deviation, "n - 1"),
        "divided by zero": (divided_by_zero, "deviation is 0"),
        "one method": (lambda r, m: right_group_advantages(r, "grpo"), "the others"),
        "rewards as they are": (lambda r, m: r, "baseline"),
    },
    "kl_estimate": {
        "the other direction": (
            lambda p, q, e: right_kl_estimate(q, p, e),
            "stands first",
        ),
        "no half": (
            lambda p, q, e: (p - q).square() if e == "k2" else right_kl_estimate(p, q, e),
            "half",
        ),
        "exp(x) in k3": (third_estimator(lambda x: torch.exp(x) - 1 - x), "exp(-x)"),
        "a mean": (lambda p, q, e: right_kl_estimate(p, q, e).mean(), "the shape"),
        "no control variate": (third_estimator(lambda x: torch.exp(-x) - 1), "never below 0"),
        "cut off": (
            lambda p, q, e: right_kl_estimate(p.detach(), q, e),
            "no gradient flows",
        ),
    },
    "bradley_terry_loss": {
        "the other way round": (lambda c, r: -logsigmoid(r - c), "chosen reply is better"),
        "no minus": (lambda c, r: logsigmoid(c - r), "minus"),
        "no logarithm": (lambda c, r: 1 - torch.sigmoid(c - r), "log"),
        "not stable": (lambda c, r: -torch.sigmoid(c - r).log(), "logsigmoid"),
        "a mean": (lambda c, r: -logsigmoid(c - r).mean(), "a single number"),
        "a margin": (lambda c, r: torch.relu(1 - (c - r)), "sigmoid"),
    },
    "dpo_loss": {
        "no reference": (
            lambda c, r, rc, rr, b: right_dpo_loss(c, r, 0 * rc, 0 * rr, b),
            "log_reference",
        ),
        "beta outside": (dpo_scaled_late, "beta"),
        "references exchanged": (
            lambda c, r, rc, rr, b: right_dpo_loss(c, r, rr, rc, b),
            "log_reference",
        ),
        "not stable": (dpo_of_sigmoids, "logsigmoid"),
        "a mean": (lambda *a: right_dpo_loss(*a).mean(), "a single number"),
    },
    "clipped_objective": {
        "clipped on both sides": (always_clipped, "smaller"),
        "not clipped": (lambda p, o, a, c: (p - o).exp() * a[:, None], "1 - clip"),
        "no exponential": (ratio_of_logs, "exp(log_p - old)"),
        "the larger one": (
            lambda p, o, a, c: -right_clipped_objective(p, o, -a, c),
            "expected",
        ),
        "a loss": (lambda p, o, a, c: -right_clipped_objective(p, o, a, c), "expected"),
        "a mean": (averaged_objective, "a single number"),
        "old in the gradient, new cut off": (
            lambda p, o, a, c: right_clipped_objective(p.detach(), o, a, c),
            "no gradient flows",
        ),
    },
}
