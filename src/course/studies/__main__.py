"""``python -m course.studies``."""

from course.studies import main

main()
