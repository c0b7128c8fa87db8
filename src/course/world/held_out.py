"""Everything that the corpus provably lacks, in one place. A test samples the corpus and looks for
it.

Held-out *inputs* are not listed: :mod:`course.world.split` decides them by a hash. What holds for
lists, questions and exercises does not hold for prose, tables and glossaries, which *state* facts,
about held-out inputs too. A glossary has the layout of a list under a line that says whose words or
whose verdicts these are; no other list holds a held-out input.
"""

import re

#: Chains in the corpus have at most this many steps; tests go to :data:`LONGEST_TEST_CHAIN`.
LONGEST_TRAINING_CHAIN = 3
LONGEST_TEST_CHAIN = 6

#: No document asks for a task in any of these forms, and the mark stands in none: a description
#: ``{w}`` of the task beside its input ``{x}``, or an input that asks by itself.
INSTRUCTION_MARK = "instruction :"
REQUEST_FORMS = {
    "after": f"input : {{x}} \n {INSTRUCTION_MARK} {{w}} \n output :",
    "before": f"{INSTRUCTION_MARK} {{w}} \n input : {{x}} \n output :",
    "inline": f"{INSTRUCTION_MARK} {{w}} {{x}} \n output :",
    "alone": f"{INSTRUCTION_MARK} {{x}} \n output :",
}
#: The same forms without the mark: a line between an input and its output, or an output under a
#: line that is no input. No document has that either, so what is new in those forms is more than a
#: word. Not so ``"before"``: a list may have a title, which is a description above its inputs, so
#: there the mark and the wording alone are new.
REQUEST = re.compile(
    r"(?:^|\n)\s*input : [^\n]*\n(?!\s*output :)|(?:^|\n)(?!\s*input : )[^\n]*\n\s*output :|^\s*output :"
)

#: Pairs (list task, list format) that never occur together in a list, though each occurs with
#: others.
HELD_OUT_COMBINATIONS = frozenset({
    ("capital", "arrow"), ("flag", "qa"), ("job", "equals"), ("plural", "inout"), ("past", "colon"),
    ("opposite", "qa"), ("category", "arrow"), ("sentiment", "equals"), ("topic", "qa"), ("dialect", "inout"),
    ("verdict", "equals"), ("is_animal", "arrow"), ("is_large", "qa"), ("add", "inout"), ("first_word", "arrow"),
})  # fmt: skip

#: Cluster of tasks -> the clusters that ask for the same skill with other words and other labels.
#: When a cluster is held out of instruction tuning, its siblings may stay in.
SIBLINGS = {
    "inference": ("consistency", "paraphrase"),
    "judgement": ("fact checking", "comparison"),
    "reading comprehension": ("story checking", "summaries"),
    "closed-book questions": ("fact checking",),
}
