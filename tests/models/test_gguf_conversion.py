"""A GGUF file becomes a checkpoint of ``transformers`` with the same weights and tokens."""

from pathlib import Path

import pytest
import torch
from hub.checkpoints import CHAT_TEMPLATE
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

from course.models.gguf_conversion import write_checkpoint

gguf = pytest.importorskip("gguf", reason="gguf is not installed (pip install -e '.[index]')")

#: As GPT-2's, with the merge of two line breaks, by which SmolLM2's rule for digits shows.
TOKENS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", *"abc123", "Ġ", "Ċ", "ab", "ĊĊ"]
MERGES = ["a b", "Ċ Ċ"]
_NAMES = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(TOKENS),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=64,
        tie_word_embeddings=True,
    )
    return LlamaForCausalLM(config).eval()


def permuted(weight: torch.Tensor, heads: int) -> torch.Tensor:
    """The order of rows that llama.cpp has for rotary embeddings."""
    rows, columns = weight.shape
    halves = weight.view(heads, 2, rows // heads // 2, columns)
    return halves.transpose(1, 2).reshape(rows, columns)


def write_gguf(model: LlamaForCausalLM, path: Path) -> None:
    writer, config = gguf.GGUFWriter(path, "llama"), model.config
    writer.add_name("toy")
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(10000.0)
    writer.add_rope_dimension_count(config.head_dim)
    writer.add_vocab_size(len(TOKENS))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(TOKENS)
    writer.add_token_types([3] * 3 + [1] * (len(TOKENS) - 3))
    writer.add_token_merges(MERGES)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_add_bos_token(False)
    writer.add_chat_template(CHAT_TEMPLATE)
    weights = model.state_dict()
    writer.add_tensor("token_embd.weight", weights["model.embed_tokens.weight"].numpy())
    writer.add_tensor("output_norm.weight", weights["model.norm.weight"].numpy())
    for layer in range(config.num_hidden_layers):
        for ours, theirs in _NAMES.items():
            weight = weights[f"model.layers.{layer}.{ours}.weight"]
            if theirs in ("attn_q", "attn_k"):
                heads = {"attn_q": config.num_attention_heads, "attn_k": config.num_key_value_heads}
                weight = permuted(weight, heads[theirs])
            writer.add_tensor(f"blk.{layer}.{theirs}.weight", weight.contiguous().numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


@pytest.fixture(scope="module")
def reports():
    """What a conversion reports as it goes on: bytes made, and all bytes."""
    return []


@pytest.fixture(scope="module")
def folder(model, tmp_path_factory, reports):
    place = tmp_path_factory.mktemp("gguf")
    write_gguf(model, place / "toy.gguf")
    (place / "checkpoint").mkdir()
    write_checkpoint(
        place / "toy.gguf", place / "checkpoint", lambda done, total: reports.append((done, total))
    )
    return place / "checkpoint"


def test_the_converted_model_computes_what_the_original_does(model, folder):
    converted = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    ids = torch.tensor([[3, 4, 5, 9, 6, 7]])
    with torch.inference_mode():
        assert torch.allclose(converted(ids).logits, model(ids).logits, atol=1e-5)


def test_nothing_says_that_it_is_quantised(folder):
    assert "quantization" not in (folder / "config.json").read_text(encoding="utf-8")


def test_every_digit_is_a_token_and_ends_what_stands_before_it(folder):
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert tokenizer.tokenize("ab12\n\n3") == ["ab", "1", "2", "ĊĊ", "3"]
    assert tokenizer.eos_token == "<|im_end|>" and tokenizer.chat_template == CHAT_TEMPLATE
    assert tokenizer("ab").input_ids == [TOKENS.index("ab")], "nothing stands before a text"


def test_a_conversion_reports_every_weight_that_it_has_made(model, folder, reports):
    size = sum(weight.nbytes for weight in model.parameters())
    done, totals = zip(*reports, strict=True)
    assert set(totals) == {size} and done[0] == 0 and done[-1] == size
    assert len(done) > len(model.model.layers) and sorted(done) == list(done)
