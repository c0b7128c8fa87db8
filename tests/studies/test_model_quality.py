"""The measures of quality, with models that know everything or nothing."""

import pandas as pd
import torch

from course.lm.language_model import load
from course.studies import model_quality
from course.world import sums
from course.world.lists import STRANGER
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
        for sentences in model_quality.fact_sentences().values()
        for before, word, _ in sentences
    }
    assert model_quality.facts(Scripted(table)) == {
        "relations": 1,
        "dialects": 1,
        "critics": 1,
        "map": 1,
        "all": 1,
    }
    hops = model_quality.fact_sentences()["map"]
    wrong = Scripted(table | {hops[0][0]: "wrong"})
    assert model_quality.facts(wrong)["map"] == 1 - 1 / len(hops)
    assert model_quality.facts(Scripted({}))["all"] == 0


def test_a_fact_is_a_sentence_of_the_corpus():
    sentences = {
        " ".join(fact) for facts in model_quality.fact_sentences().values() for fact in facts
    }
    assert {"the capital of dorland is rosken .", "one goose , two geese ."} <= sentences
    assert all(sentence.endswith(" .") for sentence in sentences)


def test_arithmetic_asks_every_sum_of_the_split():
    held = {f"{s} =": r for s, r in sums.all_steps().items() if split_of(sums.SPLIT_KEY, s) == TEST}
    assert model_quality.arithmetic(Scripted(held), TEST) == 1
    assert model_quality.arithmetic(Scripted(held), "train") == 0


def test_no_model_beats_the_generator_on_lists():
    found = model_quality.list_losses(load("gpt-small"), seed=0, count=150)
    assert found["model"] > found["generator"] - 0.1
    assert found["generator"] > 0


def test_unseen_loss_is_far_under_guessing():
    model = load("gpt-small")
    assert (
        model_quality.unseen_loss(model, seed=0, batches=1)
        < 2
        < torch.log(torch.tensor(len(model.tokenizer))).item()
    )


def test_bert_fills_in_most_masked_words():
    assert model_quality.masked_accuracy(load("bert-middle"), seed=0, batches=1) > 0.5


def test_in_context_has_the_model_and_the_best_possible_by_number_of_demonstrations():
    model = load("gpt-small")
    rows = model_quality.in_context(model, "m", ("verdict",), (0, 4, 99), 30, seed=0)
    assert {row["model"] for row in rows} == {"m"}
    places = [(row["measure"], row["task"], row["k"]) for row in rows]
    both = (model_quality.ACCURACY, model_quality.BEST)
    assert places == [(measure, "verdict", k) for k in (0, 4) for measure in both]
    assert all(0 <= row["value"] <= 100 for row in rows)


def test_with_a_title_the_best_possible_knows_the_task():
    plain, titled = (
        model_quality._asked("dialect", 1, 60, 0, titled=t)[1][model_quality.BEST]
        for t in (False, True)
    )
    assert titled >= plain


def test_of_strangers_less_can_be_known_and_recognition_does_not_help():
    known, stranger = (
        model_quality._asked(task, 8, 80, 0, True)[1] for task in ("dialect", STRANGER)
    )
    best, recognition = model_quality.BEST, model_quality.RECOGNITION
    assert known[recognition] == known[best] > stranger[best] + 20
    assert stranger[recognition] < stranger[best]


class Guesser:
    """Fills every blank with the first word that it may choose."""

    def word_between(self, before, after):
        return before

    def likeliest(self, prompts, among=None):
        return [among[0]] * len(prompts)


def test_a_guess_in_a_blank_is_worth_its_share():
    found = model_quality.words_in_blanks(Guesser(), seed=0, count=120)
    assert 0.35 < found["sentiment"] < 0.65 and 0.2 < found["inference"] < 0.47
    assert found["where"] < 0.3
    guess = model_quality.one_sided(seed=0, count=200)
    assert guess["sentiment"] == 0.5 and 0.25 < guess["where"] < 0.5
    assert 0.40 < guess["inference"] < 0.48, "the premise alone, as the world page states"


def rows_of(model: str, task: str, seed: int, accuracies: dict[int, float], best: float) -> list:
    place = {"seed": seed, "model": model, "task": task}
    both = [
        place | {"k": k, "measure": measure, "value": value}
        for k, own in accuracies.items()
        for measure, value in ((model_quality.ACCURACY, own), (model_quality.BEST, best + k))
    ]
    return both


TABLE = pd.DataFrame(
    [
        *rows_of("gpt-large", "dialect", 0, {0: 20.0, 8: 80.0}, 90.0),
        *rows_of("gpt-large", "dialect", 1, {0: 30.0, 8: 90.0}, 90.0),
        *rows_of("gpt-large", "capital", 0, {0: 10.0, 8: 100.0}, 90.0),
        *rows_of("gpt-large", "capital", 1, {0: 10.0, 8: 100.0}, 90.0),
        {"seed": 0, "model": "gpt-large", "measure": "unseen loss", "value": 1.5},
        {"seed": 0, "model": "bert-middle", "measure": model_quality.MASKED, "value": 75.0},
        *(
            {"seed": 0, "model": m, "measure": "loss on lists", "part": part, "value": value}
            for m in model_quality.LADDER
            for part, value in (("model", 0.8), ("generator", 0.6))
        ),
        *(
            {"seed": seed, "model": "gpt-large", "measure": m, "part": p, "value": v + seed}
            for seed in (0, 1)
            for m, p, v in (
                ("facts", "all", 90.0),
                ("facts", "critics", 80.0),
                ("sums", "train", 99.0),
                ("sums", "test", 70.0),
            )
        ),
    ]
)


def test_curves_have_a_row_a_seed_and_a_column_a_number_of_demonstrations():
    curves, best = model_quality.curves_by_shots(TABLE, {"gpt-large": "large"}, {"dialect": "D"})
    assert curves["D"]["large"].tolist() == [[20, 80], [30, 90]]
    assert best["D"].tolist() == [[90, 98]] * 2
    gaps = model_quality.below_the_best(TABLE, "gpt-large", "dialect")
    assert gaps.to_dict() == {0: 65, 8: 13}


def test_tables_are_means_over_seeds():
    every = model_quality.every_task(TABLE)
    assert every.loc["capital"].to_dict() == {"k = 0": 10, "k = 8": 100, "best": 98}
    assert list(every.index) == ["capital", "dialect"], "by accuracy with eight"
    known = model_quality.knowledge(TABLE, ["gpt-large"]).loc["gpt-large"].to_dict()
    assert known == {"all facts": 90.5, "critics": 80.5, "sums": 99.5, "held out": 70.5}
    losses = model_quality.losses(TABLE).loc["gpt-large"]
    assert losses.tolist() == [0.8, 0.6, 1.5]


def test_berts_stand_above_the_best_one_sided_guess():
    blanks, guesses = model_quality.IN_BLANKS, model_quality.ONE_SIDED
    measured = {
        ("facts", "all"): 99.0,
        ("facts by clue", "left"): 98.0,
        ("facts by clue", "right"): 97.0,
        ("sums", "test"): 96.0,
        (blanks, "sentiment"): 90.0,
        (blanks, "inference"): 35.0,
        (blanks, "where"): 20.0,
        (guesses, "sentiment"): 50.0,
        (guesses, "inference"): 44.0,
        (guesses, "where"): 37.0,
        (model_quality.MASKED, None): 75.0,
    }
    rows = [
        {"seed": 0, "model": "b", "measure": m, "part": part, "value": value}
        for (m, part), value in measured.items()
    ]
    shown = model_quality.of_bert(pd.DataFrame(rows), ["b"])
    assert shown.loc["b"].tolist() == [75, 99, 98, 97, 96, 90, 35, 20]
    assert shown.loc[guesses, ["sentiment", "inference", "where"]].tolist() == [50, 44, 37]
    assert shown.loc[guesses].isna().sum() == 5
