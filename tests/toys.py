"""Small models of real architectures with random weights, and tokenizers of the kinds that they
come with.

They know nothing; they are here because a fast path has to agree with a naive one on every
architecture.
"""

from functools import cache

import torch
from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from transformers import (
    AutoModelForCausalLM,
    BertTokenizer,
    BloomConfig,
    GPT2Config,
    LlamaConfig,
    MistralConfig,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen3Config,
)

TEXTS = (
    "the red fox runs over the hill and the lazy dog sleeps",
    "review : a lovely plot , but the ending was dull . answer : negative",
    "is it large ? yes . is it wild ? no . it's 12 + 30 = 42",
    "input : horse \n output : animal \n input : melon \n output : fruit",
)
WINDOW = 160


@cache
def byte_level() -> PreTrainedTokenizerFast:
    """As GPT-2, Llama 3 and Qwen have it: no token before the text."""
    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=330,
        special_tokens=["<|end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    core.train_from_iterator(TEXTS, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=core, eos_token="<|end|>", bos_token="<|end|>")


@cache
def sentencepiece(legacy: bool = False) -> PreTrainedTokenizerFast:
    """As Llama 2 has it: ``<s>`` before the text, a mark for each space; ``legacy`` has no
    pre-tokenizer.
    """
    core = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    special = ["<unk>", "<s>", "</s>", *(f"<0x{i:02X}>" for i in range(256))]
    if legacy:
        core.normalizer = normalizers.Sequence(
            [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
        )
    else:
        core.pre_tokenizer = pre_tokenizers.Metaspace()
    core.decoder = decoders.Sequence(
        [
            decoders.Replace("▁", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(content=" ", left=1),
        ]
    )
    core.train_from_iterator(
        TEXTS, trainers.BpeTrainer(vocab_size=380, special_tokens=special, show_progress=False)
    )
    core.post_processor = processors.TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", 1)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=core, unk_token="<unk>", bos_token="<s>", eos_token="</s>"
    )


@cache
def word_pieces() -> BertTokenizer:
    """As BERT has it: words in lower case, most of them in several pieces, between ``[CLS]`` and
    ``[SEP]``.
    """
    core = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    core.normalizer = normalizers.BertNormalizer(lowercase=True)
    core.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    core.train_from_iterator(
        TEXTS,
        trainers.WordPieceTrainer(vocab_size=120, special_tokens=special, show_progress=False),
    )
    return BertTokenizer(vocab=core.get_vocab(), do_lower_case=True)


_SMALL = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
}
CONFIGS = {
    "gpt2": lambda: GPT2Config(n_embd=32, n_layer=2, n_head=4, n_positions=WINDOW),
    "llama": lambda: LlamaConfig(**_SMALL, num_key_value_heads=2, max_position_embeddings=WINDOW),
    "qwen2": lambda: Qwen2Config(**_SMALL, num_key_value_heads=2, max_position_embeddings=WINDOW),
    "qwen3": lambda: Qwen3Config(
        **_SMALL, num_key_value_heads=2, head_dim=8, max_position_embeddings=WINDOW
    ),
    # these two cannot read a tree: one adds the distance between keys to the scores, the other
    # forgets what lies far back
    "bloom": lambda: BloomConfig(hidden_size=32, n_layer=2, n_head=4),
    "mistral": lambda: MistralConfig(
        **_SMALL, num_key_value_heads=2, max_position_embeddings=WINDOW, sliding_window=8
    ),
}


def toy_model(kind: str, tokenizer: PreTrainedTokenizerFast):
    """A model of one architecture with the tokenizer's vocabulary, in evaluation mode."""
    config = CONFIGS[kind]()
    config.vocab_size = len(tokenizer)
    config.bos_token_id, config.eos_token_id, config.pad_token_id = (
        tokenizer.bos_token_id,
        tokenizer.eos_token_id,
        None,
    )
    config.attn_pdrop = config.resid_pdrop = config.embd_pdrop = 0.0
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(config).eval()
    with (
        torch.no_grad()
    ):  # larger than at the start of training, so that a wrong prefix changes the answer by much
        for parameter in model.parameters():
            if parameter.ndim == 2:
                parameter.mul_(5)
    return model
