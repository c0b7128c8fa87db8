"""All studies and all claims of the course, by chapter, and the table of claims."""

import pandas as pd

from course.studies import (
    adapters,
    chain_of_thought,
    choosing,
    expectations,
    hard_prompts,
    heads,
    in_context,
    instruct,
    least_to_most,
    model_quality,
    policies,
    reward,
    self_consistency,
    soft_prompts,
    steering,
    verifiers,
    written_prompts,
)
from course.studies.claims import Claim, Demonstration
from course.studies.judgement import judged, verdict_counts
from course.studies.records import Study
from course.studies.table_of_claims import ClaimsTable

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
    reward,
    policies,
    choosing,
    model_quality,
)
#: Every study by its name.
STUDIES: dict[str, Study] = {study.name: study for module in _MODULES for study in module.STUDIES}
#: What the chapters state, the claims and demonstrations of all studies.
CLAIMS: tuple[Claim | Demonstration, ...] = tuple(
    claim for module in _MODULES for claim in getattr(module, "CLAIMS", ())
)


def claims_table(*numbers: str) -> ClaimsTable:
    """The claims and demonstrations with these numbers (default: all), each with its figure, its
    verdict, and its verdict after Holm's correction for all claims of the course.

    Raises:
        ValueError: for a number that no claim has.
        RecordError: if the record of one of them is missing or stale.
    """
    known = [*dict.fromkeys(claim.number for claim in CLAIMS)]
    if unknown := [number for number in numbers if number not in known]:
        raise ValueError(f"no claim {', '.join(unknown)}; choose from {', '.join(known)}")
    return ClaimsTable(tuple(judged(CLAIMS, numbers or known)))


def claim_counts() -> pd.DataFrame:
    """How many claims hold, fail and are undecided, by chapter and in all; see
    :func:`course.studies.judgement.verdict_counts`.
    """
    return verdict_counts(claims_table().lines)
