"""Packed batches of the corpus for the two pretraining objectives: next-token prediction (GPT) and
masked language modelling (BERT).
"""

from collections.abc import Iterable

import numpy as np

from course.training.packing import IGNORED, Batch, fill_rows, lay_out
from course.world.vocabulary import CLS, END, MASK, SEP, SPECIAL_TOKENS, vocabulary

#: Share of a document's tokens that BERT has to fill in, at the first and after the last step; it
#: falls in a straight line. Many questions at first, since short training learns faster from them
#: (Wettig et al. 2023); at the end as few as the readers of the model will ask (Devlin et al.
#: 2019).
MASKED_SHARES = (0.4, 0.15)


def masked_share(step: int, steps: int) -> float:
    """The share of tokens that BERT has to fill in at a step of ``steps``."""
    first, last = MASKED_SHARES
    return first + (last - first) * step / steps


def encode(document: str) -> list[int]:
    """The ids of a document of the corpus, without special tokens.

    Raises:
        KeyError: if a word is not in the vocabulary; the generator writes no such word.
    """
    words = vocabulary()
    return [words[word] for word in document.split(" ")]


def pack_for_gpt(documents: Iterable[str], rows: int, length: int) -> Batch:
    """Next-token prediction: a document is ``[END] words``, its labels are ``words [END]``."""
    end = vocabulary()[END]
    packed = fill_rows(([end, *encode(d)] for d in documents), rows, length)
    return lay_out(packed, [[segment[1:] + [end] for segment in row] for row in packed], length)


def pack_for_bert(
    documents: Iterable[str], rows: int, length: int, share: float, seed: list[int]
) -> Batch:
    """Masked language modelling: a document is ``[CLS] words [SEP]``, of which a share is to be
    filled in; of these tokens 80 % are masked, 10 % replaced, 10 % left (Devlin et al. 2019).

    Args:
        share: of the words that are to be filled in, see :func:`masked_share`.
        seed: entropy for the choice of what to mask, e.g. ``[seed, step]``.
    """
    cls, sep, mask = (vocabulary()[token] for token in (CLS, SEP, MASK))
    packed = fill_rows(([cls, *encode(d), sep] for d in documents), rows, length)
    batch = lay_out(packed, packed, length)
    draws = np.random.Generator(np.random.PCG64(seed))
    ordinary = (batch.document >= 0) & (batch.ids != cls) & (batch.ids != sep)
    chosen = ordinary & (draws.random(batch.ids.shape) < share)
    fate = draws.random(batch.ids.shape)
    noise = draws.integers(len(SPECIAL_TOKENS), len(vocabulary()), batch.ids.shape)
    ids = np.where(chosen & (fate < 0.8), mask, np.where(chosen & (fate < 0.9), noise, batch.ids))
    return Batch(ids, np.where(chosen, batch.labels, IGNORED), batch.document, batch.position)
