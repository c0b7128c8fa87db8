"""Throw-away bodies: data, fast training (CUDA graph where it can be captured), scoring and sampling."""

import json
import math
import os
import time
from multiprocessing import Pool
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from course.packing import fill_rows, lay_out
from course.world import profiles, prose
from course.world.corpus import Corpus
from course.world.vocabulary import CLS, END, MASK, PAD, SEP, SPECIAL_TOKENS, vocabulary

SEED = 900  # of the pilots; never one of the evidence's
ROWS, LENGTH = 32, 256
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
OUT = Path(os.environ.get("OUT", "/tmp/pilot_out"))
WORK = Path(os.environ.get("PILOT_WORK", "/tmp/pilot_work"))
V = vocabulary()
STARTED = time.time()


def say(**row):
    OUT.mkdir(parents=True, exist_ok=True)
    row["t"] = round(time.time() - float(os.environ.get("PILOT_T0", STARTED)), 1)
    line = json.dumps(row)
    with open(OUT / "results.jsonl", "a") as file:
        file.write(line + "\n")
    print(line[:400], flush=True)


# ------------------------------------------------------------------------------------------------ data


def _pack(job):
    arm, step = job
    if arm == "glossaries":  # as in the first edition: held-out items in the layout of lists, too
        prose._glossary_keys = lambda task: tuple(next(iter(profiles.tables(task).values())))
    end = V[END]
    segments = ([end, *(V[w] for w in d.split(" ")), end] for d in Corpus(SEED).stream(step))
    packed = fill_rows(segments, ROWS, LENGTH)
    batch = lay_out(packed, packed, LENGTH)
    return np.stack([batch.ids, batch.document, batch.position]).astype(np.int16)


def data_file(arm):
    return WORK / f"data{'-' if arm else ''}{arm}.npy"


def make_data(steps, workers, arm=""):
    WORK.mkdir(parents=True, exist_ok=True)
    started = time.time()
    with Pool(workers) as pool:
        parts = pool.map(_pack, [(arm, step) for step in range(steps)], chunksize=16)
    np.save(data_file(arm), np.stack(parts))
    say(part="data", arm=arm, steps=steps, tokens=steps * ROWS * LENGTH, seconds=round(time.time() - started, 1), vocabulary=len(V))


def load_data(steps, arm=""):
    # (steps, 3, rows, length), kept on the device
    array = np.load(data_file(arm), mmap_mode="r")
    return torch.from_numpy(np.array(array[: min(steps, len(array))])).to(DEVICE)


# ---------------------------------------------------------------------------------------------- models


def new_gpt(layers, width, heads=4, seed=SEED):
    from transformers import GPTNeoXConfig, GPTNeoXForCausalLM

    torch.manual_seed(seed)
    config = GPTNeoXConfig(
        vocab_size=len(V), hidden_size=width, num_hidden_layers=layers, num_attention_heads=heads, intermediate_size=4 * width,
        max_position_embeddings=LENGTH, rotary_pct=1.0, use_parallel_residual=True, tie_word_embeddings=True,
        attention_dropout=0.0, hidden_dropout=0.0, bos_token_id=V[END], eos_token_id=V[END], pad_token_id=V[PAD])
    return GPTNeoXForCausalLM(config).to(DEVICE)


def new_bert(layers=4, width=160, heads=4, rotary=False, seed=SEED):
    from transformers import BertConfig, BertForMaskedLM, ModernBertConfig, ModernBertForMaskedLM

    torch.manual_seed(seed)
    if not rotary:
        config = BertConfig(
            vocab_size=len(V), hidden_size=width, num_hidden_layers=layers, num_attention_heads=heads, intermediate_size=4 * width,
            max_position_embeddings=LENGTH, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, pad_token_id=V[PAD])
        model = BertForMaskedLM(config)
        torch.nn.init.zeros_(model.bert.embeddings.token_type_embeddings.weight)
        return model.to(DEVICE)
    config = ModernBertConfig(
        vocab_size=len(V), hidden_size=width, num_hidden_layers=layers, num_attention_heads=heads,
        intermediate_size=int(8 * width / 3) // 8 * 8, max_position_embeddings=LENGTH, global_attn_every_n_layers=1,
        attention_bias=True, mlp_bias=True, norm_bias=True, decoder_bias=True, classifier_bias=True,
        attention_dropout=0.0, mlp_dropout=0.0, embedding_dropout=0.0,
        pad_token_id=V[PAD], cls_token_id=V[CLS], sep_token_id=V[SEP], bos_token_id=V[CLS], eos_token_id=V[SEP])
    config._attn_implementation = "sdpa"
    return ModernBertForMaskedLM(config).to(DEVICE)


# -------------------------------------------------------------------------------------------- training


class Optimizer:
    """Muon on matrices, AdamW elsewhere, as in course.pretrain; every scalar is a tensor, so a graph can be captured."""

    def __init__(self, model, muon=0.02, adam=0.004, decay=0.01):
        self.peaks, self.decay, shapes, self.others = (muon, adam), decay, {}, []
        for name, p in model.named_parameters():
            if p.ndim == 2 and "embed" not in name and "decoder" not in name:
                shapes.setdefault(tuple(p.shape), []).append(p)
            else:
                self.others.append(p)
        self.groups = [(ps, [torch.zeros_like(p) for p in ps]) for ps in shapes.values()]
        self.m, self.v = ([torch.zeros_like(p) for p in self.others] for _ in range(2))
        self.lr = [torch.zeros((), device=DEVICE) for _ in range(2)]
        self.c1, self.c2 = (torch.ones((), device=DEVICE) for _ in range(2))
        self.count = 0

    def prepare(self, share):
        self.count += 1
        for tensor, peak in zip(self.lr, self.peaks, strict=True):
            tensor.fill_(peak * share)
        self.c1.fill_(1 - 0.9**self.count)
        self.c2.fill_(math.sqrt(1 - 0.98**self.count))

    @torch.no_grad()
    def step(self):
        for ps, bufs in self.groups:
            grads = [p.grad for p in ps]
            torch._foreach_lerp_(bufs, grads, 0.05)
            updates = torch.stack(torch._foreach_lerp(grads, bufs, 0.95)).bfloat16()  # (n, a, b)
            a, b = updates.shape[1:]
            x = updates.mT if a > b else updates
            x = x / x.flatten(1).norm(dim=1).clamp(min=1e-7)[:, None, None]
            for _ in range(5):
                gram = x @ x.mT
                x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=-4.7750, alpha=2.0315), x, beta=3.4445)
            x = (x.mT if a > b else x).float() * (self.lr[0] * math.sqrt(max(1, a / b)))
            for p, u in zip(ps, x, strict=True):
                p.mul_(1 - self.lr[0] * self.decay).sub_(u)
        grads = [p.grad for p in self.others]
        torch._foreach_lerp_(self.m, grads, 0.1)
        torch._foreach_mul_(self.v, 0.98)
        torch._foreach_addcmul_(self.v, grads, grads, 0.02)
        root = torch._foreach_sqrt(self.v)
        torch._foreach_div_(root, self.c2)
        torch._foreach_add_(root, 1e-8)
        update = torch._foreach_div(self.m, root)
        torch._foreach_mul_(update, self.lr[1] / self.c1)
        torch._foreach_sub_(self.others, update)


def rate_at(step, steps, warm_up=0.02):
    warm = max(1, round(warm_up * steps))
    return min((step + 1) / warm, (steps - step) / (steps - warm + 1))


def gpt_batch(part, share=None):
    ids, document, position = part.long()
    after, same = ids.roll(-1, 1), document.roll(-1, 1) == document
    same[:, -1] = False
    labels = torch.where(same & (document >= 0), after, -100)
    return ids, document, position, labels


def bert_batch(part, share):
    ids, document, position = part.long()
    ids = torch.where((ids == V[END]) & (position == 0), V[CLS], torch.where(ids == V[END], V[SEP], ids))
    ids = torch.where(document < 0, V[PAD], ids)
    ordinary = (document >= 0) & (ids != V[CLS]) & (ids != V[SEP])
    chosen = ordinary & (torch.rand(ids.shape, device=DEVICE) < share)
    fate = torch.rand(ids.shape, device=DEVICE)
    noise = torch.randint(len(SPECIAL_TOKENS), len(V), ids.shape, device=DEVICE)
    shown = torch.where(chosen & (fate < 0.8), V[MASK], torch.where(chosen & (fate < 0.9), noise, ids))
    return shown, document, position, torch.where(chosen, ids, -100)


def loss_of(model, ids, document, position, labels, causal):
    same = document[:, None, :, None] == document[:, None, None, :]
    allowed = same.tril() if causal else same
    with torch.autocast(DEVICE, dtype=torch.bfloat16, cache_enabled=False):
        mask = torch.zeros(allowed.shape, device=DEVICE, dtype=torch.bfloat16).masked_fill_(~allowed, float("-inf"))
        if model.config.model_type == "modernbert":
            # the mask function of ModernBERT takes a boolean mask
            kinds = {"full_attention": allowed, "sliding_attention": allowed}
            hidden = model.model(input_ids=ids, attention_mask=kinds, position_ids=position).last_hidden_state
            logits = model.decoder(model.head(hidden))
        else:
            logits = model(input_ids=ids, attention_mask=mask, position_ids=position).logits
    return cross_entropy(logits.flatten(0, 1).float(), labels.flatten(), ignore_index=-100)


def train(model, steps, batch_of, causal, share=lambda progress: None, name="", arm=""):
    """Returns the losses by hundredths of the run."""
    model.train()
    data, optimizer = load_data(steps, arm), Optimizer(model)
    static = [torch.zeros((ROWS, LENGTH), dtype=torch.long, device=DEVICE) for _ in range(4)]
    total, graph, losses = torch.zeros((), device=DEVICE), None, []
    wanted = DEVICE == "cuda" and os.environ.get("PILOT_GRAPH", "1") == "1"

    def one():
        loss = loss_of(model, *static, causal)
        loss.backward()
        optimizer.step()
        total.add_(loss.detach())

    stream = torch.cuda.Stream() if wanted else None
    started, part = time.time(), max(1, steps // 50)
    for step in range(steps):
        for buffer, value in zip(static, batch_of(data[step % len(data)], share(step / steps)), strict=True):
            buffer.copy_(value)
        optimizer.prepare(rate_at(step, steps))
        if wanted and graph is None and step < 5:
            stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(stream):
                for p in model.parameters():
                    p.grad = None
                one()
            torch.cuda.current_stream().wait_stream(stream)
        elif wanted:
            if graph is None:
                for p in model.parameters():
                    p.grad = None
                graph = torch.cuda.CUDAGraph()
                with torch.cuda.graph(graph):
                    one()
            graph.replay()
        else:
            for p in model.parameters():
                p.grad = None
            one()
        if (step + 1) % part == 0:
            losses.append(round(total.item() / part, 4))
            total.zero_()
    model.eval()
    for p in model.parameters():
        p.grad = None
    say(part="train", name=name, steps=steps, tokens=steps * ROWS * LENGTH, seconds=round(time.time() - started, 1),
        graph=graph is not None, loss=losses[-1], losses=losses[:: max(1, len(losses) // 10)],
        parameters=sum(p.numel() for p in model.parameters()))  # fmt: skip
    return losses


# ----------------------------------------------------------------------------------- scores and samples


def encode(text):
    return [V[w] for w in text.split(" ") if w]


def by_length(rows):
    groups = {}
    for i, row in enumerate(rows):
        groups.setdefault(len(row), []).append(i)
    return groups.values()


@torch.inference_mode()
def next_scores(model, texts, batch=1024):
    """(texts, vocabulary) log-probabilities of the next word; padding on the right is harmless, since attention looks back."""
    rows = [[V[END], *encode(t)] for t in texts]
    found = torch.zeros(len(rows), len(V))
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
    for start in range(0, len(order), batch):
        part = order[start : start + batch]
        width = max(len(rows[i]) for i in part)
        ids = torch.tensor([rows[i] + [V[PAD]] * (width - len(rows[i])) for i in part], device=DEVICE)
        last = torch.tensor([len(rows[i]) - 1 for i in part], device=DEVICE)
        with torch.autocast(DEVICE, dtype=torch.bfloat16):
            hidden = model.gpt_neox(input_ids=ids, use_cache=False).last_hidden_state
            logits = model.get_output_embeddings()(hidden[torch.arange(len(part), device=DEVICE), last])
        found[part] = logits.float().log_softmax(-1).cpu()
    return found


WORDS = list(V)


@torch.inference_mode()
def generate(model, texts, n=1, temperature=0.0, max_tokens=48, batch=8192, seed=0):
    """n continuations of each text, up to the line break."""
    torch.manual_seed(seed)
    rows, stop = [[V[END], *encode(t)] for t in texts], V["\n"]
    found = [[] for _ in rows]
    for group in by_length(rows):
        each = [i for i in group for _ in range(n)]
        for start in range(0, len(each), batch):
            part = each[start : start + batch]
            ids, cache = torch.tensor([rows[i] for i in part], device=DEVICE), None
            done, made = torch.zeros(len(part), dtype=torch.bool, device=DEVICE), []
            for position in range(max_tokens):
                with torch.autocast(DEVICE, dtype=torch.bfloat16):
                    out = model(input_ids=ids, past_key_values=cache, use_cache=True, logits_to_keep=1)
                logits, cache = out.logits[:, -1].float(), out.past_key_values
                if temperature:
                    # Gumbel: argmax of logits / T + noise is a sample
                    noise = -torch.log(-torch.log(torch.rand_like(logits).clamp_(1e-9, 1 - 1e-7)))
                    word = (logits / temperature + noise).argmax(-1)
                else:
                    word = logits.argmax(-1)
                word = torch.where(done, stop, word)
                made.append(word)
                done |= (word == stop) | (word == V[END])
                ids = word[:, None]
                if position % 8 == 7 and bool(done.all()):
                    break
            for i, words in zip(part, torch.stack(made, 1).tolist(), strict=True):
                end = next((p for p, w in enumerate(words) if w in (stop, V[END])), len(words))
                found[i].append(" ".join(WORDS[w] for w in words[:end]))
    return found


@torch.inference_mode()
def fill(model, texts, batch=512):
    """(texts, vocabulary) log-probabilities at the first [MASK] of each text (BERT)."""
    rows = [[V[CLS], *encode(t), V[SEP]] for t in texts]
    found = torch.zeros(len(rows), len(V))
    for group in by_length(rows):
        for start in range(0, len(group), batch):
            part = group[start : start + batch]
            ids = torch.tensor([rows[i] for i in part], device=DEVICE)
            with torch.autocast(DEVICE, dtype=torch.bfloat16):
                if model.config.model_type == "modernbert":
                    full = torch.ones(ids.shape[0], 1, ids.shape[1], ids.shape[1], dtype=torch.bool, device=DEVICE)
                    kinds = {"full_attention": full, "sliding_attention": full}
                    logits = model.decoder(model.head(model.model(input_ids=ids, attention_mask=kinds).last_hidden_state))
                else:
                    logits = model(input_ids=ids).logits
            at = (ids == V[MASK]).int().argmax(1)
            found[part] = logits[torch.arange(len(part)), at].float().log_softmax(-1).cpu()
    return found
