"""Studies: what the course measures and records, the claims that rest on it, and their tables.

A study is a function of a seed that returns rows; its record is a small file in the package
(:mod:`course.studies.records`). A claim stands beside its study and is checked against the record
(:mod:`course.studies.claims`). Of a long study, what is measured, what is read off the record and
what is claimed are three modules, such as ``adapters``, ``adapters_tables`` and
``adapters_claims``. ``python -m course.studies [NAME ...]`` measures what records lack.
"""

from course.foundation.lazy import lazy_names

__all__, __getattr__, __dir__ = lazy_names(
    __name__,
    {
        "catalogue": ["CLAIMS", "STUDIES", "claim_counts", "claims_table"],
        "claims": ["Claim", "Demonstration", "Varies"],
        "command": ["main", "measure"],
        "on_real_models.catalogue": ["REAL_STUDIES"],
        "real_claims": ["REAL_CLAIMS", "real_claims_table"],
        "records": ["Record", "RecordError", "Row", "Study", "read_record"],
        "verdicts": ["MoreThan", "NoWorse", "Verdict", "Within"],
    },
)
