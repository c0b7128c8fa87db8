"""The measures of quality, with models that know everything or nothing."""

import torch

from course.lm.language_model import load
from course.studies import model_quality
from course.world import sums
from course.world.split import TEST, split_of


class Scripted:
    """Answers by a table from prompts to words."""

    def __init__(self, table):
        self.table = table

    def next_word(self, prompts):
        return prompts

    def likeliest(self, prompts):
        return [self.table.get(prompt, "nothing") for prompt in prompts]


def test_facts_are_all_counted_and_wrong_ones_seen():
    table = {
        beginning: word
        for prompts in model_quality.fact_prompts().values()
        for beginning, word in prompts
    }
    assert model_quality.facts(Scripted(table)) == {
        "relations": 1,
        "dialects": 1,
        "critics": 1,
        "map": 1,
        "all": 1,
    }
    hops = model_quality.fact_prompts()["map"]
    wrong = Scripted(table | {hops[0][0]: "wrong"})
    assert model_quality.facts(wrong)["map"] == 1 - 1 / len(hops)
    assert model_quality.facts(Scripted({}))["all"] == 0


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


def test_in_context_gives_model_and_ceiling_for_each_number_of_demonstrations():
    found = model_quality.in_context(load("gpt-small"), ("verdict",), (0, 4), 30, seed=0)
    assert found["verdict"].keys() == {"0", "4"}
    assert all(
        0 <= cell[who] <= 1 for cell in found["verdict"].values() for who in ("model", "ceiling")
    )


def test_with_a_title_the_ceiling_knows_the_task():
    plain, titled = (
        model_quality.in_context(load("gpt-small"), ("dialect",), (1,), 60, seed=0, titled=t)
        for t in (False, True)
    )
    assert titled["dialect"]["1"]["ceiling"] >= plain["dialect"]["1"]["ceiling"]
