"""Rows of equal length, groups of least cost, and which models are packed."""

import pytest
from peft import PromptTuningConfig, get_peft_model
from transformers import MambaConfig, MambaForCausalLM

from course.lm.language_model import load
from course.training.batches import BatchingPlan, balanced_rows, batching_plan, similar_lengths

SORTED = BatchingPlan(packed=False, chosen_logits=True)


@pytest.fixture(scope="module")
def base():
    return load("gpt-small")


def test_equal_lengths_make_full_rows():
    assert balanced_rows([7] * 32) == [[i] for i in range(32)]
    assert similar_lengths([7] * 32, SORTED) == [list(range(32))]


def test_groups_of_similar_lengths_cost_the_least_of_all_cuts():
    lengths = [90, 80, 75, 40, 12, 11, 10, 9]
    plan = BatchingPlan(False, True, max_tokens_per_batch=200, pass_cost=20)

    def cost(groups):
        return sum(len(g) * max(g) + plan.pass_cost for g in groups)

    def cuts(rest):
        if not rest:
            yield []
        for i in range(1, len(rest) + 1):
            if i == 1 or i * rest[0] <= plan.max_tokens_per_batch:
                yield from ([rest[:i], *others] for others in cuts(rest[i:]))

    found = [[lengths[i] for i in group] for group in similar_lengths(lengths, plan)]
    assert sorted(x for group in found for x in group) == sorted(lengths)
    assert cost(found) == min(map(cost, cuts(lengths)))


def test_only_what_attends_by_our_mask_is_packed(base):
    assert batching_plan(base.model, 1000) == BatchingPlan(True, True, 1000)
    prompted = get_peft_model(
        load("gpt-small").model, PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=3)
    )
    assert batching_plan(prompted, 1000) == BatchingPlan(False, False, 1000)
    recurrent = MambaForCausalLM(
        MambaConfig(vocab_size=32, hidden_size=16, state_size=4, num_hidden_layers=1)
    )
    assert not batching_plan(recurrent, 1000).packed
