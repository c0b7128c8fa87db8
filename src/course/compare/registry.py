"""The methods of the comparison, one registry: name -> :class:`course.compare.base.Method`."""

from collections.abc import Sequence

from course.compare.base import Method
from course.compare.controls import MajorityMethod, TfidfMethod
from course.compare.frozen_head import FrozenHead
from course.compare.generators import TunedGenerator
from course.compare.prompted import FewShot, ZeroShot
from course.compare.searched import SearchedPrompt
from course.compare.trained_head import TrainedHead

_LABELS_TAGS = ("labels", "tags")
_NO_LABELS = "no labels; an instruction, which follows from the names of the columns"
_SOME = "some labelled examples, which stand in every prompt"
_TRAINS = "labels, and minutes of training"

_ALL: tuple[Method, ...] = (
    MajorityMethod("majority", "most common", "control", "none", "labels",
                   in_screen=True, chance=False),
    TfidfMethod("tfidf", "TF-IDF", "control", "none", "labels", in_screen=True, chance=False),
    ZeroShot("zero-shot", "zero-shot", "prompt", "causal", _NO_LABELS, in_screen=True,
             uses_labels=False, chance=False),
    FewShot("few-shot", "few-shot", "prompt", "causal", _SOME, in_screen=True),
    FewShot("few-shot-calibrated", "calibrated few-shot", "prompt", "causal",
            f"{_SOME}; the probabilities of labels", ("labels",), in_screen=True, calibrated=True),
    FrozenHead("head", "head on a frozen body", "training", "encoder", "labels, and an encoder",
               _LABELS_TAGS, in_screen=True, chance=False),
    TrainedHead("lora", "LoRA", "training", "encoder", _TRAINS, _LABELS_TAGS, adapter="lora"),
    TrainedHead("head-full", "head and full body", "training", "encoder", _TRAINS, _LABELS_TAGS,
                adapter="full"),
    TrainedHead("bitfit", "BitFit", "training", "encoder", f"{_TRAINS}; a body with biases",
                _LABELS_TAGS, adapter="bitfit"),
    SearchedPrompt("search", "searched prompt", "prompt", "causal",
                   "some labels, and model calls to try instructions"),
    TunedGenerator("prompt-lora", "LoRA behind a searched prompt", "training", "causal",
                   f"{_TRAINS}; model calls to try instructions", search_first=True),
    TunedGenerator("soft-prompt", "soft prompt", "training", "causal", _TRAINS, adapter="prompt"),
    TunedGenerator("lora-generator", "LoRA on the writer", "training", "causal", _TRAINS),
    TunedGenerator("full", "full tuning of the writer", "training", "causal",
                f"{_TRAINS}; much memory",
                   adapter="full"),
    ZeroShot("served-zero-shot", "served zero-shot", "prompt", "served",
             f"{_NO_LABELS}; texts leave the machine", uses_labels=False, chance=False),
    FewShot("served-few-shot", "served few-shot", "prompt", "served",
            f"{_SOME}; texts leave the machine"),
    FewShot("served-few-shot-calibrated", "served calibrated few-shot", "prompt", "served",
            f"{_SOME}; an endpoint that tells the probabilities of labels; texts leave the machine",
            ("labels",), calibrated=True),
    SearchedPrompt("served-search", "served searched prompt", "prompt", "served",
                   "some labels, and calls to try instructions; texts leave the machine"),
)  # fmt: skip

#: Name -> method, in the order in which the default takes them.
METHODS: dict[str, Method] = {method.name: method for method in _ALL}


def methods_named(names: str | Sequence[str] | None) -> list[Method]:
    """Methods by their names; None for all, in the order of the registry.

    Raises:
        ValueError: for a name that is none, with those that there are.
    """
    if names is None:
        return list(_ALL)
    wanted = names.split(",") if isinstance(names, str) else list(names)
    wanted = list(dict.fromkeys(name.strip() for name in wanted if name.strip()))
    if unknown := [name for name in wanted if name not in METHODS]:
        raise ValueError(f"no method {unknown[0]!r}; choose from {', '.join(METHODS)}")
    if not wanted:
        raise ValueError(f"no methods: choose from {', '.join(METHODS)}")
    return [METHODS[name] for name in wanted]


def searches(method: Method) -> bool:
    """Whether a method searches for its instruction, in calls whose number is not known before."""
    tuned = isinstance(method, TunedGenerator) and method.search_first
    return tuned or isinstance(method, SearchedPrompt)


def with_baseline(methods: Sequence[Method]) -> list[Method]:
    """The same methods, and the majority baseline, which all are held against."""
    majority = METHODS["majority"]
    return [*methods] if majority in methods else [majority, *methods]
