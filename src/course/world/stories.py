"""Stories of people who move between rooms and pick things up, with questions about them (after
bAbI, Weston et al. 2016).

The answer is in the story and nowhere else: people and things are where this story puts them.
Beside the two questions there are statements that the story bears out or not, and summaries in one
sentence.
"""

from dataclasses import dataclass

from course.foundation.rng import Rng
from course.world import lexicon as lex
from course.world.example import Example
from course.world.split import is_train

SPLIT_KEY = "story"
CHECK_LABELS = ("holds", "fails")
_MOVES = ("{p} went to the {r} .", "{p} walked into the {r} .", "then {p} moved to the {r} .")
_TAKES = ("{p} took the {o} .", "{p} picked up the {o} .")


@dataclass(frozen=True)
class Story:
    """A story, its two questions and their answers, a summary (who had what where in the end), and
    the last room of everybody.

    Every answer is a word of the story.
    """

    text: str
    where_question: str
    where_answer: str
    who_question: str
    who_answer: str
    summary: str
    rooms: tuple[tuple[str, str], ...]


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
    return Story(" ".join(sentences), f"where is {asked} ?", at[asked], f"who has the {thing} ?", owner,
                 f"in the end {owner} has the {thing} in the {at[owner]} .", tuple(at.items()))  # fmt: skip


def where(rng: Rng, train: bool = True) -> Example:
    """Where somebody is at the end of a story."""
    story = write_story(rng, train)
    return Example(f"{story.text} \n question : {story.where_question}", story.where_answer)


def who(rng: Rng, train: bool = True) -> Example:
    """Who has the thing that was picked up."""
    story = write_story(rng, train)
    return Example(f"{story.text} \n question : {story.who_question}", story.who_answer)


def check(rng: Rng, train: bool = True) -> Example:
    """A statement about the end of a story, which holds or fails."""
    story, label = write_story(rng, train), rng.choice(CHECK_LABELS)
    if rng.bernoulli(0.5):
        person = story.where_question.removesuffix(" ?").split()[-1]
        told = rng.choice(
            [r for r in lex.ROOMS if r != story.where_answer and f" {r} " in story.text]
            or lex.ROOMS
        )
        room = story.where_answer if label == "holds" else told
        return Example(
            f"{story.text} \n statement : {person} is in the {room} .",
            "holds" if room == story.where_answer else "fails",
        )
    thing = story.who_question.removesuffix(" ?").split()[-1]
    others = [
        name for name in lex.FIRST_NAMES if name in story.text.split() and name != story.who_answer
    ]
    name = story.who_answer if label == "holds" else rng.choice(others)
    return Example(f"{story.text} \n statement : {name} has the {thing} .", label)


def retell(rng: Rng) -> str:
    """A story, and then where everybody is and who has the thing, in any order and in prose."""
    story = write_story(rng)
    thing = story.who_question.removesuffix(" ?").split()[-1]
    ends = [f"{person} is in the {room} ." for person, room in story.rooms] + [
        f"{story.who_answer} has the {thing} ."
    ]
    return " ".join(["a story :", story.text, "now", *rng.sample(ends, len(ends))])


def summarise(rng: Rng, train: bool = True) -> Example:
    """A story, and the one sentence that says how it ends."""
    story = write_story(rng, train)
    return Example(story.text, story.summary)
