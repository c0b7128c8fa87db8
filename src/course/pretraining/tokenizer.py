"""The word-level tokenizer of the shipped models, a real fast tokenizer of ``transformers``."""

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from course.world.vocabulary import CLS, END, MASK, PAD, SEP, UNKNOWN, vocabulary

#: Longest text that the shipped models read, in tokens, the special ones included.
WINDOW = 256
#: One token each: an arrow, a line break, a word, a number, any other sign.
_PATTERN = r"->|\n|\[[A-Z]+\]|[a-z]+|[0-9]+|[^\sa-z0-9]"


def build_tokenizer(kind: str) -> PreTrainedTokenizerFast:
    """The tokenizer of a ``"gpt"`` (text begins with ``[END]``) or a ``"bert"`` (``[CLS] … [SEP]``,
    pairs too).

    Both share one vocabulary, so the models can be compared token by token.

    Raises:
        ValueError: for another kind.
    """
    words = vocabulary()
    core = Tokenizer(models.WordLevel(words, unk_token=UNKNOWN))
    core.normalizer = normalizers.Lowercase()
    core.pre_tokenizer = pre_tokenizers.Split(Regex(_PATTERN), behavior="removed", invert=True)
    core.decoder = decoders.WordPiece(prefix="##", cleanup=True)
    if kind == "gpt":
        core.post_processor = processors.TemplateProcessing(
            single=f"{END} $A", special_tokens=[(END, words[END])]
        )
        named = {"bos_token": END, "eos_token": END}
        sides = {"padding_side": "left", "model_input_names": ["input_ids", "attention_mask"]}
    elif kind == "bert":
        core.post_processor = processors.TemplateProcessing(
            single=f"{CLS} $A {SEP}",
            pair=f"{CLS} $A {SEP} $B {SEP}",
            special_tokens=[(CLS, words[CLS]), (SEP, words[SEP])],
        )
        named = {"cls_token": CLS, "sep_token": SEP, "mask_token": MASK}
        # no segment ids: a ModernBERT tells two texts apart by the separator between them
        sides = {"padding_side": "right", "model_input_names": ["input_ids", "attention_mask"]}
    else:
        raise ValueError(f"kind={kind!r}: expected 'gpt' or 'bert'")
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        pad_token=PAD,
        unk_token=UNKNOWN,
        model_max_length=WINDOW,
        **named,
        **sides,
    )
