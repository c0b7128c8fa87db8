"""Each condition changes what it says, and nothing else."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course.foundation.rng import Rng
from course.prompting.ablations import CONDITIONS, apply_ablation
from course.prompting.prompts import Prompt, Verbalizer
from course.world.example import Example
from course.world.lexicon import NONCE_LABELS

FOREIGN = tuple(f"sentence {i} ." for i in range(12))
CASES = st.integers(2, 4).flatmap(
    lambda n: st.tuples(
        st.just(tuple("abcd"[:n])),
        st.lists(st.sampled_from("abcd"[:n]), max_size=8),
        st.integers(0, 99),
    )
)


def prompt_of(labels, outputs) -> Prompt:
    shown = tuple(Example(f"x{i}", y) for i, y in enumerate(outputs))
    return Prompt("query", shown, "say it", verbalizer=Verbalizer.of(labels))


@given(CASES)
@settings(max_examples=80, deadline=None)
def test_conditions_keep_what_they_do_not_name(case):
    labels, outputs, seed = case
    before = prompt_of(labels, outputs)
    made = {
        name: apply_ablation(name, before, Rng(str(seed)), labels, FOREIGN) for name in CONDITIONS
    }
    assert all(
        (p.query, p.instruction, p.template) == (before.query, before.instruction, before.template)
        for p in made.values()
    )
    assert made["gold"] == before and made["none"].demonstrations == ()
    inputs = [e.input for e in before.demonstrations]
    for name in ("random", "flipped", "nonce"):
        assert [e.input for e in made[name].demonstrations] == inputs
    assert all(e.output in labels for e in made["random"].demonstrations)
    assert all(
        e.output in labels and e.output != y
        for e, y in zip(made["flipped"].demonstrations, outputs, strict=True)
    )
    assert [e.output for e in made["foreign"].demonstrations] == outputs
    assert all(e.input in FOREIGN for e in made["foreign"].demonstrations)
    assert (
        set(made["nonce"].verbalizer.words) <= set(NONCE_LABELS)
        and made["nonce"].verbalizer.labels == labels
    )
    for name, kept in (("inputs", inputs), ("labels", outputs)):
        assert all(word in made[name].text.split() for word in kept)
    assert not set(inputs) & set(made["labels"].text.split()) and not set(labels) & set(
        made["inputs"].text.split()
    )


def test_random_labels_are_right_as_often_as_chance():
    before = prompt_of(("a", "b"), "a" * 1000)
    right = sum(
        e.output == "a"
        for e in apply_ablation("random", before, Rng("x"), ("a", "b")).demonstrations
    )
    assert 430 < right < 570


def test_two_labels_are_swapped():
    text = apply_ablation(
        "flipped", prompt_of(("yes", "no"), ("yes", "no", "no")), Rng("x"), ("yes", "no")
    ).text
    assert text == "say it \n x0 : no \n x1 : yes \n x2 : yes \n query :"


def test_what_cannot_be_done_is_refused():
    prompt = prompt_of(("yes", "no"), ("yes", "no"))
    with pytest.raises(ValueError, match="no condition 'silver'; choose from gold, random"):
        apply_ablation("silver", prompt, Rng("x"), ("yes", "no"))
    with pytest.raises(
        ValueError, match="condition 'flipped' changes labels: expected two or more"
    ):
        apply_ablation("flipped", prompt, Rng("x"), ("yes",))
    with pytest.raises(ValueError, match="condition 'foreign' needs a different input"):
        apply_ablation("foreign", prompt, Rng("x"), ("yes", "no"))


def test_more_items_than_there_are_are_refused_with_what_to_do():
    prompt = prompt_of(("yes", "no"), ("yes", "no", "yes"))
    with pytest.raises(
        ValueError,
        match=(
            "'foreign' needs a different input .* each of 3 demonstrations and has 2; .* show "
            "at most 2"
        ),
    ):
        apply_ablation("foreign", prompt, Rng("x"), ("yes", "no"), FOREIGN[:2])
    with pytest.raises(
        ValueError,
        match="'nonce' needs a different word .* each of 2 labels and has 1; give more with nonce=",
    ):
        apply_ablation("nonce", prompt, Rng("x"), ("yes", "no"), nonce=("dax",))
    with pytest.raises(
        ValueError, match=r"'flipped' .* expected one of \['no', 'maybe'\], not \['yes'\]"
    ):
        apply_ablation("flipped", prompt, Rng("x"), ("no", "maybe"))


def test_a_label_that_is_given_twice_is_one_label():
    prompt = prompt_of(("yes", "no"), ("yes", "no"))
    flipped = apply_ablation("flipped", prompt, Rng("x"), ("yes", "yes", "no"))
    assert [example.output for example in flipped.demonstrations] == ["no", "yes"]
    with pytest.raises(ValueError, match="expected two or more of them"):
        apply_ablation("flipped", prompt, Rng("x"), ("yes", "yes"))
