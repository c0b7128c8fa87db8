"""Checkpoints of the real architectures and tokenizer kinds at toy size, as the files that their
repositories would hold.
"""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import (
    BertConfig,
    BertForPreTraining,
    BertTokenizer,
    GPT2Config,
    GPT2LMHeadModel,
    GPT2Tokenizer,
    LlamaConfig,
    LlamaForCausalLM,
    LlamaTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen2Tokenizer,
)

#: ChatML, as Qwen and SmolLM2's tuned models use it.
CHAT_TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] "
    "+ '<|im_end|>' + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
_SIZE = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "max_position_embeddings": 512,
}


def _files(*parts: PreTrainedModel | PreTrainedTokenizerBase) -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        for part in parts:
            part.save_pretrained(folder)
        return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def _byte_level(texts: Sequence[str], special: list[str]) -> dict:
    """Vocabulary and merges of a byte-level BPE, as GPT-2's."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(
        texts,
        trainers.BpeTrainer(vocab_size=2500, special_tokens=special, initial_alphabet=alphabet),
    )
    made = json.loads(tokenizer.to_str())["model"]
    return {"vocab": made["vocab"], "merges": [tuple(pair) for pair in made["merges"]]}


def gpt2(texts: Sequence[str]) -> dict[str, bytes]:
    """GPT-2 with its byte-level BPE."""
    torch.manual_seed(0)
    tokenizer = GPT2Tokenizer(**_byte_level(texts, ["<|endoftext|>"]))
    return _files(
        GPT2LMHeadModel(
            GPT2Config(vocab_size=len(tokenizer), n_positions=512, n_embd=32, n_layer=2, n_head=2)
        ),
        tokenizer,
    )


def smollm2(texts: Sequence[str], tuned: bool = False, window: int = 512) -> dict[str, bytes]:
    """SmolLM2: the Llama architecture with GPT-2's kind of tokenizer; the tuned one has a chat
    template.
    """
    torch.manual_seed(1)
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    tokenizer = GPT2Tokenizer(**_byte_level(texts, special), additional_special_tokens=special[1:])
    if tuned:
        tokenizer.chat_template = CHAT_TEMPLATE
    size = _SIZE | {"max_position_embeddings": window}
    return _files(
        LlamaForCausalLM(LlamaConfig(vocab_size=len(tokenizer), tie_word_embeddings=True, **size)),
        tokenizer,
    )


def llama(texts: Sequence[str]) -> dict[str, bytes]:
    """Llama with a tokenizer of SentencePiece's kind, whose words begin with a low line."""
    torch.manual_seed(2)
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, fuse_unk=True, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    special = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    tokenizer.train_from_iterator(
        texts, trainers.BpeTrainer(vocab_size=2500, special_tokens=special)
    )
    made = json.loads(tokenizer.to_str())["model"]
    tokenizer = LlamaTokenizer(vocab=made["vocab"], merges=[tuple(pair) for pair in made["merges"]])
    return _files(LlamaForCausalLM(LlamaConfig(vocab_size=len(tokenizer), **_SIZE)), tokenizer)


def qwen2(texts: Sequence[str]) -> dict[str, bytes]:
    """Qwen2 with its byte-level BPE and its chat template."""
    torch.manual_seed(3)
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    tokenizer = Qwen2Tokenizer(**_byte_level(texts, special), additional_special_tokens=special[1:])
    tokenizer.chat_template = CHAT_TEMPLATE
    return _files(
        Qwen2ForCausalLM(Qwen2Config(vocab_size=len(tokenizer), num_key_value_heads=1, **_SIZE)),
        tokenizer,
    )


def bert(texts: Sequence[str]) -> dict[str, bytes]:
    """BERT as it was published: with both heads of its pretraining, and lower-case word pieces."""
    torch.manual_seed(4)
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer.train_from_iterator(
        texts, trainers.WordPieceTrainer(vocab_size=2000, special_tokens=special)
    )
    tokenizer = BertTokenizer(vocab=tokenizer.get_vocab(), do_lower_case=True)
    return _files(BertForPreTraining(BertConfig(vocab_size=len(tokenizer), **_SIZE)), tokenizer)


def pickle_only(files: dict[str, bytes]) -> dict[str, bytes]:
    """The same checkpoint with its weights as a pickle alone; unpickling this one would fail
    loudly.
    """
    others = {name: content for name, content in files.items() if not name.endswith(".safetensors")}
    return others | {"pytorch_model.bin": b"not even a pickle"}


def with_own_code(files: dict[str, bytes], marker: Path) -> dict[str, bytes]:
    """The same checkpoint under a model type that only its own code knows; running that code leaves
    a marker behind.
    """
    code = (
        "from transformers import LlamaConfig, LlamaForCausalLM as OwnModel\n\n\n"
        "class OwnConfig(LlamaConfig):\n    model_type = 'own-model'\n\n\n"
        f"open({str(marker)!r}, 'w').close()\n"
    )
    config = json.loads(files["config.json"]) | {"model_type": "own-model"}
    config["auto_map"] = {
        "AutoConfig": "modeling_own.OwnConfig",
        "AutoModelForCausalLM": "modeling_own.OwnModel",
    }
    return files | {"config.json": json.dumps(config).encode(), "modeling_own.py": code.encode()}
