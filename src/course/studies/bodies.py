"""The pretrained bodies that claims compare: the sizes of GPT, and of one size those that differ in
the seed of their pretraining.
"""

#: The three sizes of GPT, trained on the same kind of text.
LADDER = ("gpt-small", "gpt-middle", "gpt-large")
#: GPTs and BERTs of one size that differ within their kind in the seed of their weights and of the
#: documents that they read; a GPT and a BERT in the same place read the same ones.
GPTS = ("gpt-middle", "gpt-middle-seed1", "gpt-middle-seed2")
BERTS = ("bert-middle", "bert-middle-seed1", "bert-middle-seed2")
#: Small GPTs, three seeds. No list of their corpus has its labels exchanged for others, which
#: matters to demonstrations with odd labels alone.
SMALL_GPTS = ("gpt-small-p00", "gpt-small-p00-seed1", "gpt-small-p00-seed2")
