"""Study of how good the pretrained models are: what they know, compute and pick up from context,
beside what is possible.

Costs as measured on one core of a busy machine, seeds x seconds: quality 3 x 173.
"""

from course.cloze.expectations import fact_blanks, filled_right
from course.lm.contract import TextModel
from course.lm.language_model import load
from course.lm.predictor import MaskedLM, PretrainedLM
from course.pretraining.recipes import RECIPES
from course.prompting.evaluation import SHOTS
from course.studies.accuracy_by_shots import accuracy_by_shots
from course.studies.bodies import GPTS, LADDER
from course.studies.model_knowledge import arithmetic, facts, one_sided, words_in_blanks
from course.studies.model_losses import list_losses, masked_accuracy, unseen_loss
from course.studies.records import Row, Study
from course.world.lists import STRANGER, list_tasks
from course.world.profiles import PROFILED
from course.world.split import TEST, TRAIN

#: BERT's masked words and answers in blanks of documents, and what a reader of one part of the
#: document would reach.
MASKED, IN_BLANKS, ONE_SIDED = "masked words", "words in blanks", "best one-sided guess"
#: How many numbers a model has for each token: what tells the sizes apart.
WIDTH = "width"


def quality_of(model: PretrainedLM, name: str, seed: int) -> list[Row]:
    """The quality of one pretrained model; shares in percent, losses in nats a label.

    What is counted completely (facts, sums) is the same for every seed.
    """
    found: dict[tuple[str, str | None], float] = {
        (WIDTH, None): float(model.model.config.hidden_size),
        ("unseen loss", None): unseen_loss(model, seed),
    }
    found |= {("facts", kind): 100 * share for kind, share in facts(model).items()}
    found |= {("sums", split): 100 * arithmetic(model, split) for split in (TRAIN, TEST)}
    if isinstance(model, MaskedLM):
        found[MASKED, None] = 100 * masked_accuracy(model, seed)
        for clue in ("left", "right"):
            blanks = [blank for blank in fact_blanks() if blank.clue == clue]
            found["facts by clue", clue] = 100 * filled_right(model, blanks)
        for measure, shares in (
            (IN_BLANKS, words_in_blanks(model, seed)),
            (ONE_SIDED, one_sided(seed)),
        ):
            found |= {(measure, task): 100 * share for task, share in shares.items()}
    return [_row(name, measure, part, value) for (measure, part), value in found.items()]


def from_context(model: TextModel, name: str, seed: int, count: int = 150) -> list[Row]:
    """Whose words and whose taste: known profiles beside dialects that were never heard, behind a
    title that says what is asked.
    """
    return accuracy_by_shots(model, name, (*PROFILED, STRANGER), SHOTS, count, seed, titled=True)


def model_quality(seed: int) -> list[Row]:
    """The quality of every pretrained model, and how far the three sizes and the middle ones of
    other seeds learn from context.
    """
    rows: list[Row] = []
    for name in sorted(RECIPES):
        model = load(name)
        rows += quality_of(model, name, seed)
        if name in LADDER:
            of_lists = list_losses(model, seed)
            rows += [_row(name, "loss on lists", of, loss) for of, loss in of_lists.items()]
        if name in (*LADDER, *GPTS):
            rows += from_context(model, name, seed)
        if name == "gpt-large":
            others = tuple(task for task in list_tasks() if task not in PROFILED)
            rows += accuracy_by_shots(model, name, others, SHOTS, 40, seed)
    return rows


def _row(model: str, measure: str, part: str | None, value: float) -> Row:
    place: Row = {"measure": measure, "model": model, "value": value}
    return place if part is None else place | {"part": part}


QUALITY = Study("quality", 4, tuple(sorted(RECIPES)), (0, 1, 2, 3, 4), model_quality)
STUDIES = (QUALITY,)
