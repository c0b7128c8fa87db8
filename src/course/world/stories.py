"""Stories of people who move between rooms and pick things up, with questions about them (after
bAbI, Weston et al. 2016).

The answer is in the story and nowhere else: people and things are where this story puts them.
"""

from dataclasses import dataclass

from course.foundation.rng import Rng
from course.world import lexicon as lex
from course.world.example import Example
from course.world.split import is_train

SPLIT_KEY = "story"
_MOVES = ("{p} went to the {r} .", "{p} walked into the {r} .", "then {p} moved to the {r} .")
_TAKES = ("{p} took the {o} .", "{p} picked up the {o} .")


@dataclass(frozen=True)
class Story:
    """A story, its two questions and their answers. Every answer is a word of the story."""

    text: str
    where_question: str
    where_answer: str
    who_question: str
    who_answer: str


def write_story(rng: Rng, train: bool = True) -> Story:
    """A story of three to six sentences; with ``train`` one that the corpus may contain."""
    while True:
        story = _draw_story(rng)
        if not train or is_train(SPLIT_KEY, story.text):
            return story


def _draw_story(rng: Rng) -> Story:
    people = rng.sample(lex.FIRST_NAMES, 2 + rng.randrange(2))
    thing, owner = rng.choice(lex.OBJECTS), rng.choice(people)
    at, sentences = {}, []
    order = rng.sample(people, len(people)) + [rng.choice(people) for _ in range(rng.randrange(3))]
    for person in order:
        at[person] = rng.choice(lex.ROOMS)
        sentences.append(rng.choice(_MOVES).format(p=person, r=at[person]))
    sentences.insert(rng.randrange(len(sentences) + 1), rng.choice(_TAKES).format(p=owner, o=thing))
    asked = rng.choice(people)
    return Story(
        " ".join(sentences), f"where is {asked} ?", at[asked], f"who has the {thing} ?", owner
    )


def where(rng: Rng, train: bool = True) -> Example:
    """Where somebody is at the end of a story."""
    story = write_story(rng, train)
    return Example(f"{story.text} \n question : {story.where_question}", story.where_answer)


def who(rng: Rng, train: bool = True) -> Example:
    """Who has the thing that was picked up."""
    story = write_story(rng, train)
    return Example(f"{story.text} \n question : {story.who_question}", story.who_answer)
