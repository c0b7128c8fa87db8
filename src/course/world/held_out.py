"""Everything that the corpus provably lacks, in one place. A test samples the corpus and looks for
it.

Held-out *inputs* are not listed: :mod:`course.world.split` decides them by a hash. What holds for
lists, questions and exercises does not hold for prose and glossaries: those *state* facts, about
held-out inputs too.
"""

#: Chains in the corpus have at most this many steps; tests go to :data:`LONGEST_TEST_CHAIN`.
LONGEST_TRAINING_CHAIN = 3
LONGEST_TEST_CHAIN = 6

#: The format of instruction learning never occurs: a description of the task, then the input; nor
#: does any of the descriptions.
INSTRUCTION_MARK = "instruction :"

#: Pairs (list task, list format) that never occur together in a list, though each occurs with
#: others.
HELD_OUT_COMBINATIONS = frozenset({
    ("capital", "arrow"), ("flag", "qa"), ("job", "equals"), ("plural", "inout"), ("past", "colon"),
    ("opposite", "qa"), ("category", "arrow"), ("sentiment", "equals"), ("topic", "qa"), ("dialect", "inout"),
    ("verdict", "equals"), ("is_animal", "arrow"), ("is_large", "qa"), ("add", "inout"), ("first_word", "arrow"),
})  # fmt: skip
