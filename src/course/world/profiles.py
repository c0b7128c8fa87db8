"""Profiles: a dialect chooses one of three forms for every noun, a critic likes or dislikes every
dish.

Here are the sentences that name a profile: facts about it, and the signature of a list that was
written in it.
"""

from course.foundation.rng import Rng
from course.world.relations import critic_verdicts, dialect_forms

#: Sentences with a profile ``{p}``, an input ``{x}`` and an output ``{y}``, by list task.
_FACTS = {
    "dialect": ("in {p} the {x} is called {y} .", "{y} is what people of {p} say for {x} ."),
    "verdict": ("{p} thinks that {x} is {y} .", "{p} thinks that {x} tastes {y} ."),
}
_SIGNATURES = {"dialect": "so they speak in {p} .", "verdict": "so says {p} ."}
#: The list tasks that have profiles.
PROFILED = tuple(_FACTS)


def tables(task: str) -> dict[str, dict[str, str]]:
    """profile -> input -> output of a list task with profiles."""
    return {"dialect": dialect_forms, "verdict": critic_verdicts}[task]()


def state(rng: Rng, task: str, profile: str | None = None) -> str:
    """A sentence that states one fact of a profile (by default a random one)."""
    known = tables(task)
    named = profile or rng.choice(tuple(known))
    x = rng.choice(tuple(known[named]))
    return rng.choice(_FACTS[task]).format(p=named, x=x, y=known[named][x])


def sign(rng: Rng, task: str, profile: str) -> str:
    """The end of a list that says whose it was, and states up to three more of the profile's facts."""
    return " ".join(
        [
            _SIGNATURES[task].format(p=profile),
            *(state(rng, task, profile) for _ in range(rng.randrange(4))),
        ]
    )
