"""Stories of people who move between rooms and pick things up, with questions about them (after bAbI, Weston et al. 2016).

The answer is in the story and nowhere else: people and things are where this story puts them.
"""

from dataclasses import dataclass

from course.world import lexicon as lex
from course.world.chance import Chance
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


def write_story(chance: Chance, train: bool = True) -> Story:
    """A story of three to six sentences; with ``train`` one that the corpus may contain."""
    while True:
        story = _draw_story(chance)
        if not train or is_train(SPLIT_KEY, story.text):
            return story


def _draw_story(chance: Chance) -> Story:
    people = chance.some(lex.FIRST_NAMES, 2 + chance.below(2))
    thing, owner = chance.pick(lex.OBJECTS), chance.pick(people)
    at, sentences = {}, []
    order = chance.some(people, len(people)) + [chance.pick(people) for _ in range(chance.below(3))]
    for person in order:
        at[person] = chance.pick(lex.ROOMS)
        sentences.append(chance.pick(_MOVES).format(p=person, r=at[person]))
    sentences.insert(chance.below(len(sentences) + 1), chance.pick(_TAKES).format(p=owner, o=thing))
    asked = chance.pick(people)
    return Story(" ".join(sentences), f"where is {asked} ?", at[asked], f"who has the {thing} ?", owner)


def where(chance: Chance, train: bool = True) -> Example:
    """Where somebody is at the end of a story."""
    story = write_story(chance, train)
    return Example(f"{story.text} \n question : {story.where_question}", story.where_answer)


def who(chance: Chance, train: bool = True) -> Example:
    """Who has the thing that was picked up."""
    story = write_story(chance, train)
    return Example(f"{story.text} \n question : {story.who_question}", story.who_answer)
