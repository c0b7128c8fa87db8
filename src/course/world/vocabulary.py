"""The vocabulary: every word that the generator can write or an instruction can use, and nothing
else.
"""

from collections import Counter
from functools import cache
from itertools import islice

from course.world.corpus import Corpus
from course.world.held_out import INSTRUCTION_MARK
from course.world.instructions import INSTRUCTIONS

PAD, UNKNOWN, END, CLS, SEP, MASK = "[PAD]", "[UNK]", "[END]", "[CLS]", "[SEP]", "[MASK]"
#: Special tokens take the first ids. ``[END]`` begins and ends a document for GPT; ``[CLS]`` and
#: ``[SEP]`` do so for BERT.
SPECIAL_TOKENS = (PAD, UNKNOWN, END, CLS, SEP, MASK)
#: Documents that are scanned for words; a test reads other seeds and streams and finds no further
#: word.
SCANNED = 60_000


@cache
def vocabulary() -> dict[str, int]:
    """word -> id: the special tokens, then the words by falling frequency (ties in alphabetical
    order).
    """
    counts = Counter(
        word for texts in INSTRUCTIONS.values() for text in texts for word in text.split(" ")
    )
    counts.update(INSTRUCTION_MARK.split(" "))
    for document in islice(Corpus().stream(0), SCANNED):
        counts.update(document.split(" "))
    words = sorted(counts, key=lambda word: (-counts[word], word))
    return {word: i for i, word in enumerate([*SPECIAL_TOKENS, *words])}
