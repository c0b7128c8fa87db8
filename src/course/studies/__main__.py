"""``python -m course.studies``."""

from course.studies.command import main

main()
