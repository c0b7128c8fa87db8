"""What claims about real models share: their models' names, and what varies."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from course.foundation.intervals import Sample
from course.studies.claims import Claim, Varies
from course.studies.on_real_models.catalogue import REAL_STUDIES
from course.studies.verdicts import Kind

#: The models as statements and figures name them.
SMOL, MINILM = "SmolLM2-135M", "MiniLM"
#: What differs between the seeds of something trained, and of something prompted.
TUNED, PROMPTED = (Varies.ITEMS, Varies.TRAINING), (Varies.ITEMS,)
#: A record's table -> the values of its seeds.
Values = Callable[[pd.DataFrame], Sample | np.ndarray]


def real_claim(
    number: str,
    statement: str,
    kind: Kind,
    source: str,
    study: str,
    values: Values,
    varies: Sequence[Varies] = PROMPTED,
    **more: Any,
) -> Claim:
    """A claim that reads the record of one study of :data:`REAL_STUDIES`."""
    studies = (REAL_STUDIES[study],)
    return Claim(number, statement, kind, source, tuple(varies), studies, values, **more)
