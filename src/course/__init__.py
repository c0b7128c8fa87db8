"""Fine-tuning against prompting, a course that runs: a folder for each idea.

The README lists the folders in their order; each folder's first line says what it is for.
"""
