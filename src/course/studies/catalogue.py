"""All studies and all claims about the shipped models, by chapter, and their table; those about
real models stand in :mod:`course.studies.real_claims`.
"""

import pandas as pd

from course.studies import (
    adapters,
    adapters_claims,
    chain_of_thought,
    choosing,
    choosing_bodies,
    choosing_claims,
    expectations,
    hard_prompts,
    heads,
    in_context,
    in_context_claims,
    instruct,
    instruct_claims,
    label_noise,
    least_to_most,
    model_quality,
    overoptimisation_rl,
    overoptimisation_rl_claims,
    policies,
    policies_claims,
    reward,
    reward_claims,
    self_consistency,
    soft_prompts,
    soft_prompts_claims,
    steering,
    verifiers,
    written_prompts,
)
from course.studies.claims import Claim, Demonstration
from course.studies.judgement import verdict_counts
from course.studies.records import Study
from course.studies.table_of_claims import ClaimsTable, table_of

_MODULES = (
    expectations,
    heads,
    adapters,
    adapters_claims,
    in_context,
    in_context_claims,
    instruct,
    instruct_claims,
    chain_of_thought,
    self_consistency,
    least_to_most,
    verifiers,
    hard_prompts,
    written_prompts,
    steering,
    soft_prompts,
    soft_prompts_claims,
    reward,
    reward_claims,
    label_noise,
    overoptimisation_rl,
    overoptimisation_rl_claims,
    policies,
    policies_claims,
    choosing,
    choosing_bodies,
    choosing_claims,
    model_quality,
)
#: Every study by its name.
STUDIES: dict[str, Study] = {
    study.name: study for module in _MODULES for study in getattr(module, "STUDIES", ())
}
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
    return table_of(CLAIMS, numbers)


def claim_counts() -> pd.DataFrame:
    """How many claims hold, fail and are undecided, by chapter and in all; see
    :func:`course.studies.judgement.verdict_counts`.
    """
    return verdict_counts(claims_table().lines)
