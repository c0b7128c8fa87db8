"""Facts, sums and blanks, with models that know everything or nothing."""

from course.studies import model_knowledge
from course.world import sums
from course.world.split import TEST, split_of


class Scripted:
    """Answers by a table from prompts to words."""

    def __init__(self, table):
        self.table = table

    def word_between(self, before, after):
        assert len(before) == len(after)
        return before

    def likeliest(self, prompts, among=None):
        return [self.table.get(prompt, "nothing") for prompt in prompts]


def test_facts_are_all_counted_and_wrong_ones_seen():
    table = {
        before: word
        for sentences in model_knowledge.fact_sentences().values()
        for before, word, _ in sentences
    }
    assert model_knowledge.facts(Scripted(table)) == {
        "relations": 1,
        "dialects": 1,
        "critics": 1,
        "map": 1,
        "all": 1,
    }
    hops = model_knowledge.fact_sentences()["map"]
    wrong = Scripted(table | {hops[0][0]: "wrong"})
    assert model_knowledge.facts(wrong)["map"] == 1 - 1 / len(hops)
    assert model_knowledge.facts(Scripted({}))["all"] == 0


def test_a_fact_is_a_sentence_of_the_corpus():
    sentences = {
        " ".join(fact) for facts in model_knowledge.fact_sentences().values() for fact in facts
    }
    assert {"the capital of dorland is rosken .", "one goose , two geese ."} <= sentences
    assert all(sentence.endswith(" .") for sentence in sentences)


def test_arithmetic_asks_every_sum_of_the_split():
    held = {f"{s} =": r for s, r in sums.all_steps().items() if split_of(sums.SPLIT_KEY, s) == TEST}
    assert model_knowledge.arithmetic(Scripted(held), TEST) == 1
    assert model_knowledge.arithmetic(Scripted(held), "train") == 0


class Guesser:
    """Fills every blank with the first word that it may choose."""

    def word_between(self, before, after):
        return before

    def likeliest(self, prompts, among=None):
        return [among[0]] * len(prompts)


def test_a_guess_in_a_blank_is_worth_its_share():
    found = model_knowledge.words_in_blanks(Guesser(), seed=0, count=120)
    assert 0.35 < found["sentiment"] < 0.65 and 0.2 < found["inference"] < 0.47
    assert found["where"] < 0.3
    guess = model_knowledge.one_sided(seed=0, count=200)
    assert guess["sentiment"] == 0.5 and 0.25 < guess["where"] < 0.5
    assert 0.40 < guess["inference"] < 0.48, "the premise alone, as the world page states"
