"""How fast the generator writes, on one core: ``python benchmarks/generator.py``. The goal is
200,000 tokens a second.

Best of several runs; each writes other documents, so that nothing is remembered from the run before
but the world's facts.
"""

import time

from course.world.corpus import Corpus
from course.world.vocabulary import vocabulary

RUNS, TOKENS = 5, 1_000_000


def tokens_a_second(stream: int) -> float:
    """Write about a million tokens of one stream, look each up in the vocabulary, and time it."""
    words, count, started = vocabulary(), 0, time.perf_counter()
    for document in Corpus().stream(stream):
        count += len([words[word] for word in document.split(" ")])
        if count >= TOKENS:
            return count / (time.perf_counter() - started)
    raise AssertionError("a stream has no end")


if __name__ == "__main__":
    speeds = [tokens_a_second(stream) for stream in range(RUNS)]
    print(
        f"written and encoded: {max(speeds):,.0f} tokens/s at best, {min(speeds):,.0f} at worst, "
        f"of {RUNS} runs"
    )
