"""All studies and all claims of the course, by chapter."""

from course.studies import (
    adapters,
    chain_of_thought,
    expectations,
    hard_prompts,
    heads,
    in_context,
    instruct,
    least_to_most,
    model_quality,
    self_consistency,
    soft_prompts,
    steering,
    verifiers,
    written_prompts,
)
from course.studies.claims import Claim
from course.studies.records import Study

_MODULES = (
    expectations,
    heads,
    adapters,
    in_context,
    instruct,
    chain_of_thought,
    self_consistency,
    least_to_most,
    verifiers,
    hard_prompts,
    written_prompts,
    steering,
    soft_prompts,
    model_quality,
)
#: Every study by its name.
STUDIES: dict[str, Study] = {study.name: study for module in _MODULES for study in module.STUDIES}
#: The claims of all studies.
CLAIMS: tuple[Claim, ...] = tuple(
    claim for module in _MODULES for claim in getattr(module, "CLAIMS", ())
)


def report(*numbers: str) -> str:
    """The claims with these numbers, each with its verdict, figures and source, as text to print.

    Raises:
        ValueError: for a number that no claim has.
        RecordError: if the record of a claim is missing or stale.
    """
    known = [claim.number for claim in CLAIMS]
    if unknown := [number for number in numbers if number not in known]:
        raise ValueError(
            f"no claim {', '.join(unknown)}; choose from {', '.join(dict.fromkeys(known))}"
        )
    return "\n".join(claim.line() for n in numbers for claim in CLAIMS if claim.number == n)
