"""Chain of thought: problems with true steps, styles that say what they are said to, exact votes,
reductions, verifiers, traces.
"""

from collections import Counter
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from course import reasoning
from course.foundation.rng import Rng
from course.lm.language_model import load
from course.reasoning.logprob_verifier import UNKNOWN, chain_logprobs
from course.reasoning.probing import written_sums
from course.reasoning.problems import is_stated
from course.reasoning.reduction import Story
from course.reasoning.solving import Attempt
from course.reasoning.traces import written_steps
from course.reasoning.verifier import _encode
from course.tasks.answer_parsing import NO_ANSWER, Answer, parse_answer
from course.training.packing import IGNORED
from course.world import problems as word_problems
from course.world import sums
from course.world.exercises import EXERCISES
from course.world.split import TEST, TRAIN, split_of


@pytest.fixture(scope="module")
def small():
    return load("gpt-small")


def attempt(problem, text, tokens=10):
    return Attempt(problem, text, parse_answer(text, problem.kind), tokens)


@pytest.fixture(scope="module")
def shop():
    return reasoning.problems("problem", 3, 1, seed=5)[0]


@pytest.mark.parametrize("task", reasoning.CHAINS["tiny"])
def test_problems_are_held_out_and_have_the_steps_that_were_asked_for(task):
    for steps in (2, 3, 6):
        found = reasoning.problems(task, steps, 10, seed=1)
        assert len({p.question for p in found}) == 10 and all(len(p.steps) == steps for p in found)
        assert all(reasoning.is_true(step) for p in found for step in p.steps)
        assert all(p.answer.text == p.output for p in found)
    if task == "problem":
        assert all(split_of(word_problems.SPLIT_KEY, p.question) == TEST for p in found)


def test_stated_problems_have_stated_steps_alone():
    def stated(problem):
        return all(
            split_of(sums.SPLIT_KEY, step.split(" = ")[0]) == TRAIN for step in problem.steps
        )

    every, some = (reasoning.problems("problem", 3, 40, stated=only) for only in (False, True))
    assert all(map(stated, some)) and not all(map(stated, every))
    assert [is_stated(p) for p in every] == [stated(p) for p in every]


def test_there_are_no_more_single_steps_than_there_are():
    found = reasoning.problems("letters", 1, 50)
    assert 0 < len(found) < 24 and {p.question for p in found} == {
        p.question for p in reasoning.problems("letters", 1, 50, seed=9)
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("poems", 2, 1),
            "task 'poems' has no chains in the tiny tier; choose from problem, route, letters",
        ),
        (("route", 0, 1), "steps=0: expected 1 to 6"),
        (("route", 7, 1), "steps=7"),
        (("route", 2, 1, 0, "dev"), "no split 'dev'"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        reasoning.problems(*arguments)


def test_styles_say_what_they_are_said_to(shop):
    worded = reasoning.wording("problem")
    shown = reasoning.demonstrations(shop, Rng("d"))
    text = {
        style: reasoning.make_prompt(shop, style, worded, shown).text for style in reasoning.STYLES
    }
    chains = [" . ".join(p.steps) + " ." for p in shown]
    query = EXERCISES["problem"].frame.format(x=shop.question, y="{y}").split(" {y}")[0]
    assert all(query in t for t in text.values()) and not any(
        f"the answer is {shop.output} ." in t.split(query)[1] for t in text.values()
    )
    assert not any(chain in text["standard"] for chain in chains)
    for p, chain, other in zip(shown, chains, [*chains[1:], chains[0]], strict=True):
        assert f"{chain} the answer is {p.output} ." in text["chain"]
        assert f"the answer is {p.output} . {chain}" in text["answer first"]
        assert f"{other} the answer is {p.output} ." in text["shuffled"]
        assert (
            f"{' .' * len(chain.split())} the answer is {p.output} ." in text["filler"]
            and chain not in text["filler"]
        )
    assert (
        text["zero-shot"] == f"{query} the answer is"
        and text["trigger"] == f"{query} {word_problems.TRIGGER}"
    )
    assert (
        reasoning.make_prompt(shop, "trigger", worded, trigger="well .").text == f"{query} well ."
    )


def test_a_chain_is_shown_as_the_corpus_writes_it(shop):
    example = EXERCISES["problem"].write(Rng("c"), steps=2)
    steps = tuple(example.rationale.removesuffix(" .").split(" . "))
    made = reasoning.problems("problem", 2, 1)[0]
    made = replace(made, steps=steps, output=example.output)
    assert (
        reasoning.solution(made, reasoning.wording("problem"))
        == f"{example.rationale} the answer is {example.output} ."
    )


@pytest.mark.parametrize(
    ("style", "shown", "message"),
    [
        ("loud", 3, "no style 'loud'"),
        ("chain", 0, "expected at least 1"),
        ("shuffled", 1, "expected at least 2"),
    ],
)
def test_styles_without_what_they_need_are_refused(shop, style, shown, message):
    with pytest.raises(ValueError, match=message):
        reasoning.make_prompt(
            shop,
            style,
            reasoning.wording("problem"),
            reasoning.demonstrations(shop, Rng("d"))[:shown],
        )


def test_demonstrations_are_training_problems_and_the_same_in_every_style(shop):
    shown = reasoning.demonstrations(shop, Rng("d"), (1, 2, 3))
    stories = [word_problems.read_problem(p.question) for p in shown]
    assert sorted(len(story.changes) for story in stories) == [1, 2, 3]
    texts = [" . ".join(p.steps) + " ." for p in shown]
    assert all(map(lambda *of: word_problems.check(*of) is None, stories, texts))
    assert all(split_of(word_problems.SPLIT_KEY, p.question) == TRAIN for p in shown)
    chain, standard = (
        reasoning.make_prompts(style, [shop], 3)[0].text for style in ("chain", "standard")
    )
    assert chain.split("answer :")[0] == standard.split("answer :")[0]


def answers(letters):
    return [NO_ANSWER if letter == "-" else Answer(letter) for letter in letters]


def naive_vote(given):
    """The key that is counted most often; of equals the one that stands first."""
    cast = [a.key for a in given if a != NO_ANSWER]
    return (
        max(dict.fromkeys(cast), key=lambda key: (cast.count(key), -cast.index(key)))
        if cast
        else None
    )


@for_all(st.text("abc-", min_size=1, max_size=9))
def test_the_vote_is_the_exact_majority(letters):
    vote, cast = reasoning.majority(answers(letters)), Counter(letters.replace("-", ""))
    assert (vote.winner.key if vote.winner != NO_ANSWER else None) == naive_vote(answers(letters))
    assert vote.share == (max(cast.values()) / len(letters) if cast else 0)
    assert vote.tied == (
        sorted(cast.values())[-2:].count(max(cast.values())) == 2 if cast else False
    )


@settings(max_examples=150)
@for_all(st.text("ab-", min_size=1, max_size=5), st.integers(0, 3))
def test_a_vote_is_decided_if_and_only_if_nothing_that_may_come_changes_it(letters, left):
    now = naive_vote(answers(letters))
    outcomes = {
        naive_vote(answers(letters + "".join(more))) for more in product("abcd-", repeat=left)
    }
    assert reasoning.is_decided(answers(letters), len(letters) + left) == (outcomes == {now})


@for_all(st.text("abc-", max_size=5), st.integers(1, 4))
@settings(max_examples=80, deadline=None)
def test_the_rule_knows_how_many_samples_it_takes_at_least(letters, left):
    n = len(letters) + left
    texts = ["unclear" if letter == "-" else f"the answer is {ord(letter)} ." for letter in letters]
    more = [
        "the answer is 97 .",
        "the answer is 98 .",
        "the answer is 99 .",
        "the answer is 1 .",
        "unclear",
    ]
    rule = reasoning.until_decided(n, "number")
    naive = next(
        k for k in range(left + 1) if any(rule([*texts, *said]) for said in product(more, repeat=k))
    )
    assert rule.at_least(texts) == naive


def test_a_vote_without_answers_is_refused():
    with pytest.raises(ValueError, match="expected at least one sample"):
        reasoning.majority([])


def test_accuracies_of_votes_and_what_stopping_saves(shop):
    right, wrong, silent = (
        attempt(shop, f"the answer is {x} .") for x in (shop.output, "100", "unclear")
    )
    found = [
        [wrong, right, right, right],
        [wrong, wrong, wrong, right],
        [silent, silent, right, wrong],
    ]
    assert [round(reasoning.vote_accuracy(found, n)) for n in (1, 2, 4)] == [0, 0, 67]
    assert [round(reasoning.any_right(found, n)) for n in (1, 2, 4)] == [0, 33, 100]
    assert [len(kept) for kept in reasoning.stopped(found)] == [4, 2, 4][:1] + [
        len(k) for k in reasoning.stopped(found)
    ][1:]
    for every, kept in zip(found, reasoning.stopped(found), strict=True):
        assert reasoning.voted(kept).winner.key == reasoning.voted(every).winner.key
    table = reasoning.reliability(found)
    assert table.problems.sum() == 3 and reasoning.calibration_error(table) >= 0


def test_the_calibration_error_is_the_weighted_gap(shop):
    right, wrong = (attempt(shop, f"the answer is {x} .") for x in (shop.output, "100"))
    table = reasoning.reliability([[right] * 4, [wrong] * 4, [right, right, wrong, wrong]])
    assert list(table.index) == ["25 to 50", "75 to 100"]
    assert reasoning.calibration_error(table) == pytest.approx((2 * 50 + 1 * 50) / 3)


def test_stopping_early_gives_the_same_winners(small):
    asked = reasoning.make_prompts("trigger", reasoning.problems("problem", 2, 4))
    every = reasoning.solve(small, asked, n=6, temperature=1.0)
    some = reasoning.solve(
        small, asked, n=6, temperature=1.0, until=reasoning.until_decided(6, "number")
    )
    assert [[a.text for a in found] for found in some] == [
        [a.text for a in found] for found in reasoning.stopped(every)
    ]
    assert [reasoning.voted(a).winner.key for a in some] == [
        reasoning.voted(a).winner.key for a in every
    ]
    assert reasoning.tokens(some) <= reasoning.tokens(every)


def test_an_answer_begun_in_the_prompt_is_read(small):
    (found,) = reasoning.solve(
        small, reasoning.make_prompts("zero-shot", reasoning.problems("route", 2, 1))
    )
    assert found[0].answer != NO_ANSWER and found[0].answer.found == "phrase"


def test_a_long_prompt_leaves_a_solution_nearly_its_length_or_is_refused(small):
    (prompt,) = reasoning.make_prompts("trigger", reasoning.problems("route", 2, 1))
    for room, fits in ((50, True), (20, False)):
        (ids,) = small.encoder.prompts([prompt.text])
        filling = " .".join([""] * (small.window + 2 - room - len(ids)))
        long = replace(prompt, text=prompt.text + filling)
        assert len(small.encoder.prompts([long.text])[0]) == small.window + 1 - room
        if fits:
            ((found,),) = reasoning.solve(small, [long])
            assert found.tokens <= room
        else:
            with pytest.raises(ValueError, match="60 more to write"):
                reasoning.solve(small, [long])


def test_layouts_do_not_mix(small):
    asked = reasoning.make_prompts("trigger", reasoning.problems("route", 2, 1))
    with pytest.raises(ValueError, match="one layout at a time"):
        reasoning.solve(small, [*asked, replace(asked[0], stop="!")])


def test_a_story_is_told_again_from_an_answer():
    problem = reasoning.problems("problem", 4, 1)[0]
    story = Story.of(problem)
    assert story.text == problem.question and len(story.changes) == 4
    later = story.after(Answer("41", 41), story.changes[-1])
    assert (
        " 41 " in later.state
        and later.changes == story.changes[-1:]
        and later.question == story.question
    )
    route = Story.of(reasoning.problems("route", 3, 1)[0])
    assert route.after(Answer("inn"), "go west").text == "start at inn . go west . where are you ?"
    with pytest.raises(ValueError, match="is no state with changes"):
        Story.of(reasoning.problems("letters", 3, 1)[0])


class Oracle:
    """Names the last three parts of a problem, and solves one of up to three steps; writes as the
    corpus does.
    """

    def generate(self, prompts, config=None, **changes):
        return [
            [type("Sample", (), {"text": self.reply(p.rsplit("\n", 2)), "tokens": 7})()]
            for p in prompts
        ]

    def reply(self, lines):
        sentences = lines[-2].split(" : ", 1)[1].strip().split(" . ")
        if lines[-1].startswith(" parts"):
            return " ; ".join(sentences[1:-1][-3:])
        start, value = int(sentences[0].split()[2]), 0
        for change in sentences[1:-1]:
            number = next(int(w) for w in change.split() if w.isdigit())
            value += number if any(w in change for w in ("buys", "finds", "gets")) else -number
        return f" the answer is {start + value} ." if len(sentences) <= 5 else " the answer is 0 ."


@pytest.mark.parametrize("given", [False, True])
def test_least_to_most_solves_what_a_chain_cannot(given):
    chosen = reasoning.problems("problem", 6, 5)
    made = reasoning.least_to_most(Oracle(), chosen, given=given)
    assert reasoning.reduced_accuracy(made) == 100
    assert [len(one.solved) for one in made] == [6 if given else 4] * 5
    assert all(one.tokens == 7 * (6 if given else 4 + 4) for one in made)


def test_a_wrong_part_makes_a_wrong_answer():
    made = reasoning.least_to_most(Oracle(), reasoning.problems("problem", 2, 1))
    assert made[0].right and not replace(made[0], answer=Answer("1000", 1000)).right


def test_a_verifier_tells_right_chains_from_wrong_ones(small):
    train = reasoning.problems("problem", 2, 40, split=TRAIN, stated=True)
    texts = {p: [f"the answer is {p.output} .", "so so so ."] for p in train}
    found = [[attempt(p, text) for text in texts[p]] for p in train]
    before = {name: p.clone() for name, p in small.model.named_parameters()}
    verifier = reasoning.train_verifier(small, found, steps=12)
    assert all((before[name] == p).all() for name, p in small.model.named_parameters())
    scores = verifier.scores(found)
    assert [len(s) for s in scores] == [2] * 40 and np.mean([s[0] > s[1] for s in scores]) > 0.9
    assert reasoning.best_accuracy(found, scores) > 90 >= reasoning.vote_accuracy(found, 1) - 10
    alone = verifier.scores([[found[3][1]]])[0]
    assert alone == pytest.approx(scores[3][1:], abs=1e-3), (
        "a score does not depend on what is scored beside it"
    )
    assert verifier.scores([]) == []
    with pytest.raises(ValueError, match="all right: a verifier needs both kinds"):
        reasoning.train_verifier(small, [[found[0][0]]])


def test_every_token_of_a_solution_bears_its_label_and_no_other_does(small, shop):
    text = "the answer is 7 ."
    (right,) = _encode(small.tokenizer, [attempt(replace(shop, output="7"), f" {text}")]).features
    (wrong,) = _encode(small.tokenizer, [attempt(shop, text)]).features
    kept = [i for i, y in zip(right["input_ids"], right["labels"], strict=True) if y != IGNORED]
    assert kept == small.token_ids(text.split()) and set(right["labels"]) == {1, IGNORED}
    assert wrong["input_ids"] == right["input_ids"] and set(wrong["labels"]) == {0, IGNORED}


@pytest.fixture(scope="module")
def slips():
    """Right chains of training problems, and the same ones with a wrong result in the middle."""
    found = []
    for p in reasoning.problems("problem", 2, 12, split=TRAIN, stated=True):
        wrong = p.steps[0].rsplit(" ", 1)[0] + (" 3" if p.steps[0].endswith(" 98") else " 98")
        found.append(
            [
                chain_of(p, p.steps),
                chain_of(p, (wrong, p.steps[1]), "98"),
                chain_of(p, p.steps[:1], "97"),
            ]
        )
    return found


def test_a_reader_tells_slips_from_what_it_holds_likely(small, slips):
    before = {name: p.clone() for name, p in small.model.named_parameters()}
    reader = reasoning.train_logprob_verifier(small, slips[:6])
    assert all((before[name] == p).all() for name, p in small.model.named_parameters())
    scores = reader.scores(slips[6:])
    assert [len(s) for s in scores] == [3] * 6 and np.mean(
        [s[0] > s[1:].max() for s in scores]
    ) > 0.8
    assert reader.scores([[slips[7][1]]])[0] == pytest.approx(scores[1][1:2], abs=1e-3), (
        "a score does not depend on what is beside it"
    )
    assert [s.shape for s in reader.scores([[], []])] == [(0,), (0,)]
    with pytest.raises(ValueError, match="all right: a verifier needs both kinds"):
        reasoning.train_logprob_verifier(small, [[slips[0][0]]])


def test_what_a_reader_reads_are_the_probabilities_of_the_tokens(small, slips):
    (one,) = slips[0][:1]
    asked = reasoning.make_prompt(one.problem, "trigger", reasoning.wording("problem")).text
    words, total, least = one.text.split(), 0.0, 0.0
    for i, word in enumerate(words):
        value = small.score([" ".join([asked, *words[:i]])], [f" {word}"])[0]
        total, least = total + value, min(least, value)
    assert chain_logprobs(small, [one]) == pytest.approx(np.array([[total, least]]), abs=1e-3)


def test_an_unknown_word_is_the_unlikeliest(small, slips):
    (one,) = slips[0][:1]
    cut = one.text.split(" the ")[0]
    odd, other, plain = chain_logprobs(
        small,
        [replace(one, text=f"{cut} {word} so .") for word in ("[UNK]", "[CLS]")]
        + [replace(one, text=cut)],
    )
    assert list(odd) == pytest.approx(list(other)) and odd == pytest.approx(
        [plain[0] + UNKNOWN, UNKNOWN], abs=1e-3
    )


def test_every_sum_is_written_once_right_and_once_falsely():
    written = written_sums()
    by_sum = {s.text.rsplit(" ", 1)[0]: set() for s in written}
    for s in written:
        step, result = s.text.split(" step by step . ")[1].split(" = ")
        assert s.right == (sums.result(step) == int(result)) and s.split == split_of(
            sums.SPLIT_KEY, step
        )
        by_sum[s.text.rsplit(" ", 1)[0]].add(s.right)
    assert len(by_sum) == len(sums.all_steps()) and all(
        kinds == {True, False} for kinds in by_sum.values()
    )
    assert (
        [s.text for s in written]
        == [s.text for s in written_sums(0)]
        != [s.text for s in written_sums(1)]
    )


def test_a_probe_finds_what_stands_in_a_state(small, monkeypatch):
    found = reasoning.error_detection(small, learn=64, judge=64, split=TRAIN)
    layers = small.model.config.num_hidden_layers
    assert (
        list(found) == ["probability", *(f"layer {i}" for i in range(layers + 1))]
        and found["probability"] > 80
    )

    def planted(_, written):
        right = np.array([float(s.right) for s in written])
        return np.stack([np.zeros((len(right), 2)), np.stack([right, right], 1)], 1), -right

    monkeypatch.setattr("course.reasoning.probing._forward", planted)
    assert reasoning.error_detection(small, learn=64, judge=64) == {
        "probability": 0,
        "layer 0": 50,
        "layer 1": 100,
    }


def test_every_sample_may_have_demonstrations_of_its_own(small):
    chosen = reasoning.problems("problem", 2, 3)
    found = reasoning.solve_varied(small, chosen, 3, seed=4)
    assert [len(attempts) for attempts in found] == [3, 3, 3] and [
        a[0].problem for a in found
    ] == chosen
    for number in range(3):
        asked = reasoning.make_prompts("chain", chosen, 5000 + number)
        alone = [reasoning.solve(small, [q])[0][0].text for q in asked]
        assert [attempts[number].text for attempts in found] == alone
    assert (
        len({reasoning.make_prompts("chain", chosen, 5000 + number)[0].text for number in range(3)})
        == 3
    )


def test_weights_decide_a_weighted_vote(shop):
    right, wrong, silent = (
        attempt(shop, f"the answer is {x} .") for x in (shop.output, "100", "unclear")
    )
    assert (
        reasoning.weighted_vote([wrong, wrong, right], np.array([-3.0, -3.0, 3.0])).text
        == shop.output
    )
    assert reasoning.weighted_vote([wrong, wrong, right], np.array([3.0, 3.0, 3.0])).text == "100"
    assert reasoning.weighted_vote([silent], np.array([3.0])) == NO_ANSWER
    assert reasoning.best_of([wrong, right], np.array([0.0, 1.0])) is right


def chain_of(problem, steps, answer=None):
    return attempt(
        problem, " ".join(f"{s} ." for s in steps) + f" the answer is {answer or problem.output} ."
    )


def test_the_first_wrong_step_is_found(shop):
    a, b, c = shop.steps
    false = b.rsplit(" ", 1)[0] + " 99"
    true_elsewhere = "1 + 1 = 2"
    for steps, first, fault in (
        ((a, b, c), None, "none"), ((a, false, c), 1, "false"), ((a, true_elsewhere, c), 1, ("not "
        "next")), ((a, b), 2, "stops"),
        ((a, b, c, "1 + 1 = 2"), 3, "goes on"), ((), 0, "stops"),
    ):  # fmt: skip
        found = reasoning.trace(chain_of(shop, steps))
        assert (found.first_wrong, found.fault) == (first, fault), steps
    wrong = attempt(shop, " . ".join(shop.steps) + " . the answer is 1000 .")
    assert reasoning.trace(wrong).fault == "answer"


def derived(draw):
    """A word problem with a solution of it in which some things may be changed."""
    rng = Rng(f"derived/{draw(st.integers(0, 10_000))}")
    story = word_problems.write_problem(rng, draw(st.integers(1, 4)), train=False)
    ways = word_problems.derivations(story, train=False)
    steps = list(ways[draw(st.sampled_from(sorted(ways)))])
    lines = [sums.write_sum(step, draw(st.integers(0, 2))) for step in steps]
    change = draw(st.sampled_from(("nothing", "drop", "swap", "again", "result")))
    place = draw(st.integers(0, len(lines) - 1))
    if change == "drop":
        del lines[place]
    elif change == "swap":
        lines[0], lines[place] = lines[place], lines[0]
    elif change == "again":
        lines.append(lines[place])
    elif change == "result":
        right = str(sums.result(steps[place]))
        lines[place] = lines[place].replace(f" {right} .", f" {int(right) + 1} .")
    return story, " ".join(lines)


@settings(max_examples=300, deadline=None)
@for_all(st.composite(derived)())
def test_a_trace_of_a_word_problem_says_what_the_checker_of_the_world_says(made):
    story, text = made
    problem = reasoning.Problem("problem", story.question, ("so",), story.answer)
    found = reasoning.trace(attempt(problem, f"{text} the answer is {story.answer} ."))
    assert (found.fault == "none") == (word_problems.check(story, text) is None)


@pytest.mark.parametrize(("text", "fault", "step"), [
    ("8 plus 2 is 10 . 10 plus 3 is 13 . 13 minus 2 is 11 .", "none", None),
    ("8 without 2 leaves 6 . 6 and 5 more make 11 .", "none", None),
    ("8 + 5 = 13 . 13 minus 2 is 12 .", "false", 1),
    ("8 + 2 = 10 . 10 - 2 = 8 .", "not next", 1),
    ("5 + 8 = 13 . 13 - 2 = 11 .", "not next", 0),
    ("8 + 5 = 13 .", "stops", 1),
    ("8 + 5 = 13 . 13 - 2 = 11 . 11 + 1 = 12 .", "goes on", 2),
])  # fmt: skip
def test_every_derivation_counts_and_nothing_else(text, fault, step):
    question = "mira has 8 hats . mira buys 5 more . mira sells 2 . how many hats does mira have ?"
    problem = reasoning.Problem("problem", question, ("8 + 5 = 13", "13 - 2 = 11"), "11")
    found = reasoning.trace(attempt(problem, f"{text} the answer is 11 ."))
    assert (found.fault, found.first_wrong) == (fault, step)


def test_a_trace_is_text_and_html_that_say_the_same(shop):
    found = reasoning.trace(chain_of(shop, (shop.steps[0], "1 + 1 = 2")))
    marks = [mark for mark, _ in found.lines()]
    assert marks == ["✓", "✗", "✓"] and "✗ 1 + 1 = 2" in repr(found)
    assert (
        found._repr_html_().count("<li") == 3
        and "✗ 1 + 1 = 2" in found._repr_html_()
        and reasoning.FAULTS["not next"] in repr(found)
    )
    unsafe = reasoning.trace(replace(found.attempt, text="<script> ."))
    assert "<script>" not in unsafe._repr_html_()


@pytest.mark.parametrize(
    ("step", "wanted"),
    [
        ("8 + 5 = 13", True),
        ("8 + 5 = 14", False),
        ("8 plus 5 is 13", True),
        ("8 and 5 more make 14", False),
        ("13 without 5 leaves 8", True),
        ("room 8 and 5 more make 14", None),
        ("So 3 x 4 = 12 eggs", True),
        ("He pays 2 + 3 * 4 = $20", False),
        ("2 + 3 * 4 = 14", True),
        ("9 / 0 = 0", False),
        ("She sleeps", None),
        ("1 + 1 = 2 and 2 + 2 = 5", False),
        ("simon ends with n", True),
        ("simon ends with z", False),
        ("10 / 3 = 3.33", True),
        ("10 / 3 = 3.34", False),
        ("10 / 3 = 3", False),
        ("2 / 3 = 0.67", True),
        ("2 / 3 = 0.66", False),
        ("7 / 2 = 3.6", False),
        ("1.25 * 1.5 = 1.88", True),
        ("1 + 1 = 2.1", False),
        ("9" * 5000 + " + 1 = 2", None),
        ("1 + 1 = " + "9" * 5000, None),
        ("1 + 1 = 2." + "0" * 5000, None),
    ],
)
def test_the_truth_of_a_step(step, wanted):
    assert reasoning.is_true(step) is wanted


def test_steps_end_before_the_answer():
    assert written_steps(" 8 + 5 = 13. 13 - 2 = 11. the answer is 11. 1 + 1 = 2.") == (
        "8 + 5 = 13",
        "13 - 2 = 11",
    )
    assert written_steps("It costs $2.50 more.\nSo 3 of them.\n#### 3") == (
        "It costs $2.50 more",
        "So 3 of them",
    )


def test_where_errors_begin_sums_to_all(shop):
    found = [[chain_of(shop, shop.steps)], [chain_of(shop, shop.steps[:2])]]
    table = reasoning.where_errors_begin(found)
    assert table.to_numpy().sum() == 100 and table.loc["stops", 3] == 50 == table.loc["none", 0]
