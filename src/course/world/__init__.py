"""The micro-world: a small invented world, and a generator that writes text about it.

Nothing here needs PyTorch. :class:`course.world.corpus.Corpus` writes the documents,
:mod:`course.world.posterior` computes the best possible answer, :mod:`course.world.held_out` and
:mod:`course.world.split` say what no document contains.
"""
