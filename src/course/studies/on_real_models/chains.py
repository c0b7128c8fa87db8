"""Word problems by a real model: answers alone, steps, least-to-most and votes (chapters 5 and
5b).
"""

from course.lm.language_model import load
from course.reasoning.problems import from_example, problems
from course.reasoning.reduction import least_to_most, reduced_accuracy
from course.reasoning.solving import accuracy, make_prompts, solve
from course.reasoning.voting import vote_accuracy
from course.studies.on_real_models.questions import PRECISION
from course.studies.real_study import SEEDS, RealStudy
from course.studies.records import Row
from course.tasks.registry import load_task
from course.world.split import TEST

#: Problems of GSM8K, and samples of a vote on the first of them.
PROBLEMS, VOTED, SAMPLES = 100, 50, 8
#: Tokens of a solution: most of GSM8K's have fewer.
LONGEST = 200
STYLES = ("zero-shot", "standard", "chain", "trigger")
#: The greedy chain on the problems that are voted on, beside their vote.
VOTED_ALONE = "chain, where voted"


def real_chains(seed: int) -> list[Row]:
    """GSM8K and problems of one step by four ways of asking, least-to-most, and a vote.

    Returns:
        Rows with ``task``, ``way`` and ``value`` (percent right).
    """
    model = load("gpt-large", precision=PRECISION)
    school = load_task("problem", seed=seed, sizes={TEST: PROBLEMS}).examples(TEST)
    tasks = {
        "GSM8K": [from_example("problem", example) for example in school],
        "one step": problems("shopping", 1, PROBLEMS, seed),
    }
    rows: list[Row] = []
    for name, asked in tasks.items():
        for style in STYLES:
            solved = solve(model, make_prompts(style, asked, seed), max_tokens=LONGEST)
            rows.append({"task": name, "way": style, "value": accuracy(solved)})
            if (name, style) == ("GSM8K", "chain"):
                alone = accuracy(solved[:VOTED])
                rows.append({"task": name, "way": VOTED_ALONE, "value": alone})
    voters = make_prompts("chain", tasks["GSM8K"][:VOTED], seed)
    sampled = solve(model, voters, n=SAMPLES, temperature=0.7, seed=seed, max_tokens=LONGEST)
    vote = vote_accuracy(sampled)
    rows.append({"task": "GSM8K", "way": f"vote of {SAMPLES}", "value": vote})
    stories = problems("shopping", 4, PROBLEMS // 4, seed)
    reduced = reduced_accuracy(least_to_most(model, stories, seed=seed))
    rows.append({"task": "four steps", "way": "least to most", "value": reduced})
    return rows


STUDIES = (RealStudy("chains", 1, ("gpt-large",), SEEDS, real_chains, ("problem",)),)
