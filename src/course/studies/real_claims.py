"""Claims about real models, judged among themselves: a family of their own, apart from the claims
about the shipped models.

Their thresholds were set before the studies of :mod:`course.studies.on_real_models` were measured.
Each statement is about one model alone, SmolLM2-135M-Instruct or all-MiniLM-L6-v2 as the tier
``index`` has them; nothing varies pretraining, and the seeds are few.
"""

from course.studies import (
    real_choosing_claims,
    real_prompting_claims,
    real_tuning_claims,
)
from course.studies import real_tables as tables
from course.studies.claims import Claim, Demonstration
from course.studies.table_of_claims import ClaimsTable, table_of

#: What the chapters state of real models.
REAL_CLAIMS: tuple[Claim | Demonstration, ...] = (
    *real_tuning_claims.CLAIMS,
    *real_prompting_claims.CLAIMS,
    *real_choosing_claims.CLAIMS,
)


def is_measured(claim: Claim | Demonstration) -> bool:
    """Whether the studies of a claim have whole records."""
    return all(tables.is_recorded(study) for study in claim.studies)


def real_claims_table(*numbers: str) -> ClaimsTable:
    """The claims about real models with these numbers (default: all that were measured), each with
    its figure, its verdict, and its verdict after Holm's correction for all claims about real
    models.

    Raises:
        ValueError: for a number that none of them has.
        RecordError: if the record of one of them is missing, or of another version.
    """
    measured = dict.fromkeys(claim.number for claim in REAL_CLAIMS if is_measured(claim))
    return table_of(REAL_CLAIMS, numbers or tuple(measured))
