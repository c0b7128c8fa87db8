"""A searched prompt: instructions that the model itself writes from labelled items, of which the
best one is kept (APE).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from course.compare.base import Cost, Estimate, Predictor, Setting
from course.compare.bodies import Bench
from course.compare.metering import Work
from course.compare.preparation import Prepared
from course.compare.prompt_costs import query_work, text_bytes
from course.compare.prompt_predictor import PromptPredictor, PromptState
from course.compare.prompted import ZeroShot
from course.compare.task import Item
from course.prompting.evaluation import Question
from course.search.base import search
from course.search.best_arm import SuccessiveHalving
from course.search.objective import Answers
from course.search.writers import MOST_TOKENS, AskedWriter
from course.search.writing import WrittenPrompts

#: A searched prompt: model calls in all, labelled items that candidates are tried on (so many in
#: the first round), candidates.
CALLS, SEARCH_ITEMS, FIRST_ITEMS, CANDIDATES = 240, 32, 4, 8


@dataclass(frozen=True)
class SearchedPrompt(ZeroShot):
    """An instruction that the model itself writes from labelled items; the best of several by
    successive halving, then variations of it (APE, Zhou et al. 2023).
    """

    @property
    def cost(self) -> Cost:
        return Cost(f"nothing, in at most {CALLS} calls of the model", "an instruction", query=1)

    def learn(
        self, bench: Bench, items: Sequence[Item], setting: Setting, seed: int, share: float = 1.0
    ) -> Predictor:
        state = PromptState(bench.task.told, room=self.room(bench, items))
        predictor = self.predictor(bench, state, items)
        before = predictor.meter.work
        found = searched(bench, items, seed, predictor)
        predictor.state = PromptState(found, room=state.room)
        predictor.work += predictor.meter.work - before
        return predictor

    def estimate(self, bench: Bench, data: Prepared, size: int) -> Estimate:
        query = query_work(self, bench, data)
        items = min(SEARCH_ITEMS, size)
        tried = SuccessiveHalving(tuple("abcdefghi"), first=FIRST_ITEMS).calls(items)
        calls = min(1.5 * tried + 2 * CANDIDATES, CALLS)
        written = 2 * CANDIDATES * MOST_TOKENS / 2
        learning = query.times(calls) + Work(written=written)
        return Estimate(learning, query, text_bytes(data))


def search_method(bench: Bench, writer: AskedWriter) -> WrittenPrompts:
    return WrittenPrompts(
        writer,
        count=CANDIDATES,
        variations=4,
        best=2,
        best_arm=lambda candidates: SuccessiveHalving(candidates, first=FIRST_ITEMS),
        start=(bench.task.told,),
    )


def searched(bench: Bench, items: Sequence[Item], seed: int, like: PromptPredictor) -> str:
    """The best instruction by some labelled items; the usual one takes part."""
    questions = tuple(question(like, item) for item in items[:SEARCH_ITEMS])
    objective = Answers(questions, questions[:1])
    result = search(
        search_method(bench, AskedWriter(like.meter)), objective, like.meter, CALLS, seed
    )
    return result.prompt


def question(like: PromptPredictor, item: Item) -> Question:
    """An item as a search asks it."""
    task = like.task
    prompt = like._prompt(item)
    metric = "squad.exact" if task.kind == "answers" else "exact"
    answers = (task.shown_answer(item),) if task.kind != "answers" else item.answers
    return Question(prompt, answers, metric, task.labels)
