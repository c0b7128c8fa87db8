"""Claims of chapter 3: adapters against full fine-tuning, methods against each other, disk space,
and forgetting.
"""

from functools import partial

from course.adapters import METHODS
from course.studies.adapters import (
    BY_METHOD,
    FORGETTING,
    ON_DISK,
    PAIRS,
    PARITY,
    QUESTIONS,
    TITLES,
    TRANSLATION,
)
from course.studies.adapters_tables import (
    disk_ratio,
    minus,
    saved_by_switching_off,
    share_of_the_bytes,
    share_of_the_gain,
    start_of,
)
from course.studies.claims import Claim, Demonstration, MoreThan, NoWorse, Varies, fails, undecided

_GLUE = "within 0.8 % of full tuning on GLUE (preprint: 0.4 %), 3.6 % parameters"
_VARIED = (Varies.ITEMS, Varies.TRAINING)

#: What does not hold, with what was measured about it.
_HOULSBY_FAILS = {
    PAIRS: fails(
        "the gap is larger than the margin at the best of three rates, for which a smaller and a"
        " larger one were tried; whether more steps would close it was not measured"
    ),
    TRANSLATION: fails(
        "its best rate is the largest that was tried, so a still larger one might do better; that"
        " was not measured"
    ),
}
_NOT_BETTER = {
    ("lora", "bitfit", QUESTIONS): undecided(
        "every method that reaches into the body scores within a point of full tuning here"
    ),
    ("bitfit", "head", PAIRS): undecided(
        "the gain is a few points, and the interval over five seeds still holds zero"
    ),
}


def _better(better: str, worse: str, task: str, source: str) -> Claim:
    return Claim(
        "3b",
        f"On {TITLES[task]}, {METHODS[better].title} is better than {METHODS[worse].title}.",
        MoreThan(0),
        source,
        _VARIED,
        studies=(BY_METHOD,),
        values=partial(minus, better, worse, task),
        **_NOT_BETTER.get((better, worse, task), {}),
    )


CLAIMS = (
    *(
        Claim(
            "3a",
            f"On {title} Houlsby adapters are no worse than full tuning.",
            NoWorse(2),
            "houlsby2019adapters",
            _VARIED,
            studies=(BY_METHOD, PARITY),
            values=partial(minus, "bottleneck", "full", task),
            reported=_GLUE,
            baselines=lambda table, more, task=task: start_of(table, task),
            **_HOULSBY_FAILS.get(task, {}),
        )
        for task, title in TITLES.items()
    ),
    *(_better("lora", "bitfit", task, "hu2022lora") for task in TITLES),
    *(_better("bitfit", "head", task, "benzaken2022bitfit") for task in (PAIRS, QUESTIONS)),
    *(
        Claim(
            "3c",
            f"On {title} LoRA has more than half of what full tuning gains.",
            MoreThan(0.5),
            "hu2022lora",
            _VARIED,
            studies=(BY_METHOD,),
            values=partial(share_of_the_gain, task=task),
            unit="of the gain",
            ratio=True,
            baselines=lambda table, task=task: {
                "percent of the bytes": share_of_the_bytes(table)[task]
            },
        )
        for task, title in TITLES.items()
    ),
    Demonstration(
        "3d",
        "A hundred models take many times the disk of a hundred adapters.",
        "hu2022lora",
        "an adapter stores fewer numbers than the model",
        studies=(ON_DISK,),
        figures=lambda table: {"times the disk": float(disk_ratio(table).mean())},
    ),
    Demonstration(
        "3d",
        "Adapter off, nothing is forgotten.",
        "houlsby2019adapters",
        "a switched-off adapter leaves the frozen model as it was",
        studies=(FORGETTING,),
        figures=lambda table: {
            "points above full tuning on the other tasks": float(
                saved_by_switching_off(table).mean()
            )
        },
    ),
)
