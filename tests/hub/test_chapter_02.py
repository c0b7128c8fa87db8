"""Chapter 2 with BERT's own tokenizer and the schemas of the real data sets: the same heads, and
the notebook from top to bottom.
"""

from pathlib import Path

import pytest
from hub import tables
from hub.chapters import run_chapter
from hub.checkpoints import bert, smollm2

from course.heads import TASKS, head_for, learn
from course.models.loading import load_tokenizer, load_with_head
from course.models.roles import HUB
from course.models.shipped import WeightsError
from course.tasks.registry import HUB_DATA, load_task

CHAPTER = Path(__file__).parents[2] / "notebooks" / "02-heads.ipynb"
#: Enough rows for the hundred labels of the chapter.
DATA = {
    "sentiment": tables.sst2,
    "inference": tables.snli,
    "entities": tables.conll2003,
    "extraction": tables.squad,
}
SIZES = {"train": 100, "validation": 10, "test": 20}


@pytest.fixture(scope="module")
def repositories():
    """(kind, repository) -> files of what the chapter loads; the tokenizer knows about half of the
    words whole.
    """
    texts = [
        "a dull film , train",
        "In train number 7 the ship came from",
        "Where did it start?",
        "A dog runs over the grass",
        "Peter left",
    ]
    models = {
        ("models", HUB["bert-middle"].repository): bert(5 * texts),
        ("models", HUB["gpt-middle"].repository): smollm2(5 * texts),
    }
    return models | {
        ("datasets", HUB_DATA[name].repository): make(train=160) for name, make in DATA.items()
    }


@pytest.fixture
def served(hub, client, repositories, monkeypatch):
    monkeypatch.setenv("COURSE_TIER", "hub")
    for (kind, name), files in repositories.items():
        hub.add(kind, name, files)


@pytest.mark.parametrize("name", TASKS)
def test_every_head_learns_on_word_pieces(served, name):
    task, tokenizer = load_task(name, sizes=SIZES), load_tokenizer("bert-middle")
    head, rows = head_for(task), list(task.data["test"])
    assert any(
        token.startswith("##")
        for token in tokenizer.convert_ids_to_tokens(head.features(tokenizer, rows)[0]["input_ids"])
    )
    learned = learn(task, 100)
    assert learned.model.config.id2label == dict(enumerate(head.labels))
    assert len(learned.predict(rows)) == len(rows) and 0 <= learned.score(rows) <= 100
    assert repr(learned.view(rows[:2])) and learned.view(rows[:2])._repr_html_()


def test_answers_are_read_off_the_text_with_its_capitals(served):
    """BERT's tokenizer lowers case and cuts words up; the answer is still a part of the context as
    it was written.
    """
    task, tokenizer = load_task("extraction", sizes=SIZES), load_tokenizer("bert-middle")
    head, row = head_for(task), task.data["test"][0]
    (window,) = head.windows(tokenizer, [row])
    places = {token: (start, end) for token, start, end in window.offsets}
    first, last = window.feature["start_positions"], window.feature["end_positions"]
    assert (
        last > first > 0
        and row["context"][places[first][0] : places[last][1]] == row["answers"]["text"][0]
    )


def test_a_causal_checkpoint_without_padding_takes_a_head(served):
    task = load_task("sentiment", sizes=SIZES)
    head, tokenizer = head_for(task), load_tokenizer("gpt-middle")
    model = head.new_model("gpt-middle")
    assert tokenizer.pad_token_id is None and model.config.pad_token_id == tokenizer.eos_token_id
    assert len(head.predict(model, tokenizer, task.data["test"])) == len(task.data["test"])


def test_a_checkpoint_without_its_body_is_refused(served):
    from transformers import BertModel

    with pytest.raises(
        WeightsError, match="has no weights .* for BertModel; take another checkpoint"
    ):
        load_with_head("bert-middle", _Other(BertModel))


class _Other:
    """A loader whose model has a layer more than the checkpoint."""

    def __init__(self, loader):
        self.loader = loader

    def from_pretrained(self, *args, config, **settings):
        config.num_hidden_layers += 1
        model, found = self.loader.from_pretrained(*args, config=config, **settings)
        return model, found | {
            "missing_keys": {f"{model.base_model_prefix}.{key}" for key in found["missing_keys"]}
        }


def test_the_chapter_runs_from_top_to_bottom(hub, served, tmp_path):
    printed = "\n".join(run_chapter(CHAPTER, hub, tmp_path))
    assert "the same logits: True" in printed and "sentence label" in printed
    assert "dorland" not in printed
