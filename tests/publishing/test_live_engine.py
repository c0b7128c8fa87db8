"""The models in the page, run in node: their token ids are those of the tokenizers, their logits
those of PyTorch.
"""

import base64
import json
import shutil
import subprocess
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import (
    GPTNeoXConfig,
    GPTNeoXForCausalLM,
    ModernBertConfig,
    ModernBertForMaskedLM,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from course.foundation.rng import Rng
from course.models.loading import load_model, load_tokenizer
from course.models.shipped import checked_folder
from course.models.text import text_ids
from course.publishing import live
from course.world.corpus import Corpus

pytestmark = pytest.mark.skipif(
    shutil.which("node") is None, reason="left out: node, which runs the page's code, is missing"
)
PROGRAM = Path(__file__).with_name("read_checkpoints.js")
#: What a text may hold beside words: signs that split words, unknown words, names of special
#: tokens, capitals, line breaks, and letters of several bytes.
ODD = (
    "THE capital of [MASK] , isn't -> it ?",
    "a\tb\n\nc  d [END] zzzyx 12+3=15 . é 語境 \U0001f980 İ ſ",
    "",
)


def texts() -> list[str]:
    """Documents of the corpus, cut to lengths that a test can afford, and one word alone."""
    rng = Rng("live")
    documents = [kind.write(rng) for kind in Corpus().kinds()][:8]
    return [*(" ".join(document.split(" ")[:30]) for document in documents), "the", *ODD]


def in_node(runs: list[dict]) -> list[list[dict]]:
    """The ids and logits of each text of each run, from the page's code."""
    question = json.dumps({"engine": str(live.SOURCES / "engine.js"), "runs": runs})
    done = subprocess.run(
        ["node", str(PROGRAM)], input=question, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@torch.inference_mode()
def in_pytorch(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, text: str
) -> tuple[list[int], np.ndarray]:
    (ids,) = text_ids(tokenizer, [text])
    return ids, model(torch.tensor([ids])).logits[0].float().numpy()


def saved(model: PreTrainedModel, folder: Path, name: str) -> PreTrainedModel:
    """A model of random weights, with noise on all of them so that no bias is zero, in half
    precision as the shipped ones are.
    """
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter)).copy_(parameter.half().float())
    # of a copy: `half` would round the frequencies of the rotary positions, too
    deepcopy(model).half().save_pretrained(folder)
    shutil.copy(checked_folder(name) / "tokenizer.json", folder)
    return model.eval()


def toys(folder: Path) -> dict[str, tuple[Path, PreTrainedModel]]:
    """Name of a shipped model whose tokenizer it has -> architectures that are not shipped, or not
    yet: ModernBERT with all its biases, and GPT-NeoX with the other settings that it can have.
    """
    torch.manual_seed(0)
    size = {"hidden_size": 24, "num_hidden_layers": 3, "num_attention_heads": 2}
    size |= {"intermediate_size": 20, "max_position_embeddings": 64}
    words = {name: len(load_tokenizer(name)) for name in ("gpt-middle", "bert-middle")}
    modern = ModernBertConfig(
        **size, vocab_size=words["bert-middle"], global_attn_every_n_layers=1,
        attention_bias=True, mlp_bias=True, norm_bias=True, decoder_bias=True,
        classifier_bias=True, pad_token_id=0, cls_token_id=3, sep_token_id=4,
        bos_token_id=3, eos_token_id=4,
    )  # fmt: skip
    serial = GPTNeoXConfig(
        **size, vocab_size=words["gpt-middle"], rotary_pct=0.5, use_parallel_residual=False,
        tie_word_embeddings=False, bos_token_id=2, eos_token_id=2,
    )  # fmt: skip
    return {
        "bert-middle": (
            folder / "modern",
            saved(ModernBertForMaskedLM(modern), folder / "modern", "bert-middle"),
        ),
        "gpt-middle": (
            folder / "serial",
            saved(GPTNeoXForCausalLM(serial), folder / "serial", "gpt-middle"),
        ),
    }


def test_ids_and_logits_are_those_of_the_tokenizer_and_of_pytorch(tmp_path):
    cases = [
        (name, checked_folder(name), load_model(name).eval())
        for name in ("gpt-middle", "bert-middle")
    ]
    cases += [(name, *case) for name, case in toys(tmp_path).items()]
    runs = [
        {"folder": str(folder), "texts": texts(), "cached": name.startswith("gpt")}
        for name, folder, _ in cases
    ]
    # a causal model reads a text in one pass, too
    runs += [run | {"cached": False} for run in runs if run["cached"]]
    models = [*cases, *(case for case in cases if case[0].startswith("gpt"))]
    for (name, folder, model), rows in zip(models, in_node(runs), strict=True):
        tokenizer = load_tokenizer(name)
        for text, row in zip(texts(), rows, strict=True):
            ids, logits = in_pytorch(model, tokenizer, text)
            assert row["ids"] == ids, (folder.name, text)
            in_page = [np.frombuffer(base64.b64decode(t), np.float32) for t in row["logits"]]
            np.testing.assert_allclose(in_page, logits, atol=1e-4, rtol=0)
            assert np.abs(logits).max() > 1  # random weights may not make the test an easy one
            assert row["decoded"].split(" ") == tokenizer.convert_ids_to_tokens(ids)


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("config.json", {"model_type": "llama"}, "model_type llama: expected gpt_neox"),
        ("config.json", {"hidden_act": "relu"}, "activation relu: expected gelu"),
        ("tokenizer.json", {"normalizer": None}, "expected WordLevel"),
        ("model.safetensors", 1000, "cut off"),
    ],
)
def test_what_cannot_be_read_is_refused_and_named(tmp_path, name, change, words):
    folder = shutil.copytree(checked_folder("gpt-small"), tmp_path / "copy")
    file = folder / name
    if isinstance(change, dict):
        file.write_text(
            json.dumps(json.loads(file.read_text(encoding="utf-8")) | change), encoding="utf-8"
        )
    else:
        file.write_bytes(file.read_bytes()[:-change])
    with pytest.raises(AssertionError, match=words):
        in_node([{"folder": str(folder), "texts": ["the"], "cached": False}])


def test_a_text_longer_than_the_window_is_refused():
    runs = [
        {"folder": str(checked_folder(name)), "texts": ["the " * 300], "cached": False}
        for name in ("gpt-small", "bert-middle")
    ]
    for run in runs:
        with pytest.raises(AssertionError, match="and the window holds"):
            in_node([run])
