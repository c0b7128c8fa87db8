"""Labels in what a model writes: any script, any quotes, and nothing that is not said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, normalizers
from toys import byte_level, toy_model
from transformers import PreTrainedTokenizerFast

from course.lm.language_model import LanguageModel
from course.lm.openai_api import NoLogProbabilities
from course.prompting.classify import choose, match

PN, YN, ZH = (" positive", " negative"), (" yes", " no"), ("正面", "負面")


@pytest.mark.parametrize(
    ("text", "labels", "wanted"),
    [
        ("正面。", ZH, "正面"),
        ("“positive”", PN, " positive"),
        ("«positive»", PN, " positive"),
        ("<yes>", YN, " yes"),
        ("A) yes", YN, " yes"),
        ("Label: positive", PN, " positive"),
        ("The answer is yes", YN, " yes"),
        ("正面評價", ZH, "正面"),
        ("not positive", PN, None),
        ("It is not positive", PN, None),
        ("The answer is not yes", YN, None),
        ("positive or negative", PN, None),
        ("positive/negative", PN, None),
        ("yes and no", YN, None),
        ("positive, not negative", PN, " positive"),
        ("Positive.", PN, " positive"),
        ("**positive**", PN, " positive"),
        ("POSITIVE!", PN, " positive"),
        ("「正面」", ZH, "正面"),
        ("【負面】", ZH, "負面"),
        ("答案是正面", ZH, "正面"),
        ("答案：正面。", ZH, "正面"),
        ("不是正面", ZH, None),
        ("正面，不是負面", ZH, "正面"),
        ("正面或負面", ZH, None),
        ("正面嗎", ZH, "正面"),
        ("(B) no", YN, " no"),
        ("1. yes", YN, " yes"),
        ("Yes, there is no doubt", YN, " yes"),
        ("Yes, of course", YN, " yes"),
        ("no", YN, " no"),
        ("No-one knows", YN, None),
        ("nothing", YN, None),
        ("yesterday", YN, None),
        ("", YN, None),
        ("yes\nno", YN, " yes"),
        ('{"label": "positive"}', PN, " positive"),
        ("<label>positive</label>", PN, " positive"),
        ("\\boxed{yes}", YN, " yes"),
        ("Ｐｏｓｉｔｉｖｅ", PN, " positive"),
        ("ＹＥＳ！", YN, " yes"),
        ("The sentiment of this review is positive.", PN, " positive"),
        ("Sentiment: negative", PN, " negative"),
        ("It's positive", PN, " positive"),
        ("It isn't positive", PN, None),
        ("positive is not the answer", PN, None),
        ("Positive (not negative at all)", PN, " positive"),
        ("I cannot say", PN, None),
        ("non-positive", PN, None),
        ("positive-ish", PN, None),
        ("!yes", YN, None),
        ("- yes", YN, " yes"),
        ("• yes", YN, " yes"),
        ("✅ yes", YN, " yes"),
        ("> yes", YN, " yes"),
        ("C++", ("C", "C++", "C#"), "C++"),
        ("C#", ("C", "C++", "C#"), "C#"),
        ("C++", ("C", "Java"), None),
        ("-1", ("1", "-1"), "-1"),
        ("-1", ("1", "2"), None),
        ("+", ("+", "-"), "+"),
        ("1.5", ("1", "2"), None),
        ("1. ", ("1", "2"), "1"),
        ("A) yes", ("a", "b"), "a"),
        ("B", ("A", "B"), "B"),
        ("(B)", ("A", "B"), "B"),
        (" not at all .", (" yes", " no", " not at all"), " not at all"),
        ("not positive", ("positive", "not positive"), "not positive"),
        ("Not positive, not positive", ("positive", "not positive"), "not positive"),
        ("positive. negative", PN, " positive"),
        ("Strasse", ("Straße", "Weg"), "Straße"),
        ("да.", ("да", "нет"), "да"),
        ("„да“", ("да", "нет"), "да"),
        ("‹oui›", ("oui", "non"), "oui"),
        ("はい。", ("はい", "いいえ"), "はい"),
        ("はいです", ("はい", "いいえ"), "はい"),
        ("是的", ("是", "不是"), "是"),
        ("不是", ("是", "不是"), "不是"),
        ("¡Sí!", ("sí", "no"), "sí"),
        ("Yes — no", YN, None),
        ("cold \n young : old", (" cold", " old"), " cold"),
        ("the label is: positive", PN, " positive"),
        ("Answer: A) yes B) no", YN, None),
        ("Don't know", YN, None),
        ("Café", ("café", "bar"), "café"),
        ("这篇评论是正面的", ("正面", "负面"), None),
        ("Label:\npositive", PN, " positive"),
        ("**Answer**\n\nyes", YN, None),
        ("Answer:\n\n**no**", YN, " no"),
        ("Label:\nnot positive", PN, None),
    ],
)
def test_the_label_that_a_text_gives(text, labels, wanted):
    assert match(text, labels) == match(text, labels[::-1]) == wanted


_QUOTES = st.sampled_from(
    [
        "{}",
        "“{}”",
        "«{}»",
        "„{}“",
        "‹{}›",
        "「{}」",
        "『{}』",
        "【{}】",
        "<{}>",
        "({})",
        "**{}**",
        "`{}`",
        '"{}"',
        "'{}'",
        "（{}）",
        "[{}]",
    ]
)
_BEFORE = st.sampled_from(
    [
        "",
        "A) ",
        "(b) ",
        "2. ",
        "Label: ",
        "The answer is ",
        "Answer: ",
        "The final answer is: ",
        "- ",
        "答案是",
        "It is ",
    ]
)
_BEHIND = st.sampled_from(
    ["", ".", "。", "！", "!", "…", " .", ";", "、", "\nno", ", of course", " ,"]
)


@pytest.mark.parametrize("text", ["(no) .", "（no） .", "no) no", "(ii) no", "b) no", "12. no"])
def test_a_label_in_brackets_is_no_number_of_a_list(text):
    assert match(text, YN) == " no"


@given(
    st.sampled_from([*PN, *YN, *ZH, "Straße", "да", "はい", "oui"]),
    _QUOTES,
    _BEFORE,
    _BEHIND,
    st.booleans(),
)
def test_quotes_announcements_and_case_change_nothing(label, quotes, before, behind, upper):
    others = [
        other
        for pair in (
            PN,
            YN,
            ZH,
            ("Straße", "Weg"),
            ("да", "нет"),
            ("はい", "いいえ"),
            ("oui", "non"),
        )
        if label in pair
        for other in pair
    ]
    written = label.strip().upper() if upper else label.strip()
    assert match(before + quotes.format(written) + behind, others) == label


@given(st.text(max_size=40), st.lists(st.text(min_size=1, max_size=4), min_size=1, max_size=4))
def test_any_text_is_matched_without_an_error(text, labels):
    assert match(text, labels) in (None, *labels)


def test_labels_that_a_model_cannot_tell_apart_are_refused():
    core = Tokenizer.from_str(byte_level().backend_tokenizer.to_str())
    core.normalizer = normalizers.Lowercase()
    lower_casing = PreTrainedTokenizerFast(
        tokenizer_object=core, eos_token="<|end|>", bos_token="<|end|>"
    )
    lower = LanguageModel(toy_model("gpt2", lower_casing), lower_casing)
    with pytest.raises(
        ValueError,
        match=(
            r"labels ' cold' and ' Cold' have the same tokens, so this model cannot tell them "
            r"apart"
        ),
    ):
        choose(lower, ["the opposite of hot is"], [" red", " cold", " Cold"])
    cased = LanguageModel(toy_model("gpt2", byte_level()), byte_level())
    assert choose(cased, ["the opposite of hot is"], [" cold", " Cold"])[0] in (" cold", " Cold")


class Writes:
    """A model that tells no probabilities and writes what it is given."""

    def __init__(self, text: str):
        self.text = text

    def score_labels(self, prompts, labels):
        raise NoLogProbabilities("none")

    def generate(self, prompts, config=None, **changes):
        return [[self] for _ in prompts]


def test_what_is_no_label_is_no_answer_and_never_the_first_class():
    assert choose(Writes("I cannot say"), ["a", "b"], PN) == [None, None]
    assert choose(Writes("not positive"), ["a"], PN) == [None]
    assert choose(Writes("“負面。”"), ["a"], ZH) == ["負面"]
    with pytest.raises(ValueError, match="the same text, upper and lower case aside"):
        choose(Writes("cold"), ["a"], [" cold", " Cold"])


@pytest.mark.parametrize("labels", [[" yes"], [" yes", "yes"], "yes", []])
def test_too_few_labels_are_refused(labels):
    with pytest.raises(ValueError, match="expected two or more different ones"):
        choose(Writes("yes"), ["a"], labels)
