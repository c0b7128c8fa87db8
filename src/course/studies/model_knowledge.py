"""What a pretrained model knows: every fact of the world, every sum, and the words in blanks of
documents, beside the best guess from one part of a document.
"""

from collections.abc import Sequence

from course.lm.predictor import MaskedLM, Predictor
from course.prompting.evaluation import fresh_questions
from course.world import inference, maps, sums
from course.world.lexicon import ROOMS
from course.world.relations import critic_verdicts, dialect_forms, relations
from course.world.split import split_of

#: A fact of the world: the sentence up to one word, the word, and what follows it.
Fact = tuple[str, str, str]


def fact_sentences() -> dict[str, list[Fact]]:
    """Every fact of the world by family, in a sentence that the corpus has."""
    ordinary = []
    for relation in relations().values():
        before, after = relation.sentences[0].split(" {o}")
        ordinary += [(before.format(s=s), o, after.strip()) for s, o in relation.table.items()]
    dialects = [
        (f"in {d} the {n} is called", form, ".")
        for d, table in dialect_forms().items()
        for n, form in table.items()
    ]
    critics = [
        (f"{c} thinks that {dish} is", v, ".")
        for c, table in critic_verdicts().items()
        for dish, v in table.items()
    ]
    hops = [
        (f"{way} of {place} is", target, ".") for (place, way), target in maps.neighbours().items()
    ]
    return {"relations": ordinary, "dialects": dialects, "critics": critics, "map": hops}


def completed(model: Predictor, sentences: Sequence[Fact]) -> float:
    """Share of the sentences whose word the model fills in right: from what stands before it (GPT),
    or from both sides (BERT).
    """
    before, words, after = zip(*sentences, strict=True)
    answers = model.likeliest(model.word_between(before, after))
    return sum(map(str.__eq__, answers, words)) / len(sentences)


def facts(model: Predictor) -> dict[str, float]:
    """Accuracy on every fact of the world by family, and over all of them (``"all"``)."""
    families = fact_sentences()
    found = {family: completed(model, sentences) for family, sentences in families.items()}
    counts = {family: len(sentences) for family, sentences in families.items()}
    found["all"] = sum(found[f] * counts[f] for f in counts) / sum(counts.values())
    return found


def arithmetic(model: Predictor, split: str) -> float:
    """Accuracy on all single sums of one split."""
    return completed(
        model,
        [
            (f"{s} =", r, ".")
            for s, r in sums.all_steps().items()
            if split_of(sums.SPLIT_KEY, s) == split
        ],
    )


def words_in_blanks(model: MaskedLM, seed: int, count: int = 200) -> dict[str, float]:
    """Share of held-out items of which BERT fills in the answer right, each a document with that
    one item: the sentiment of a review, the verdict on a pair of sentences, the room somebody is
    in. It chooses among the task's words.
    """
    found = {}
    for name, among in BLANK_WORDS.items():
        asked = fresh_questions(name, 0, count, seed)
        before = [question.prompt.text for question in asked]
        chosen = model.likeliest(model.word_between(before, [""] * count), among)
        right = sum(word == q.answers[0] for word, q in zip(chosen, asked, strict=True))
        found[name] = right / count
    return found


#: Task -> the words that BERT chooses among.
BLANK_WORDS = {
    "sentiment": ("positive", "negative"),
    "inference": inference.LABELS,
    "where": tuple(ROOMS),
}


def one_sided(seed: int, count: int = 2000) -> dict[str, float]:
    """What the best guess from a part of the document reaches, as a share: any label of a review
    (its labels are balanced), the form of a premise without its claim, any room of a story.
    """
    stories = [
        question.prompt.query.split() for question in fresh_questions("where", 0, count, seed)
    ]
    rooms = [len(set(words) & set(ROOMS)) for words in stories]
    guess = max(inference.baselines().values())
    return {"sentiment": 0.5, "inference": guess, "where": sum(1 / n for n in rooms) / count}
