"""Foundation of all other folders: atomic writes, random draws, intervals, checked settings.

It imports neither torch nor any other part of the course.
"""

from course.foundation.atomic_write import atomic_folder, atomic_path, write_bytes, write_text
from course.foundation.names import checked_name

__all__ = ["atomic_folder", "atomic_path", "checked_name", "write_bytes", "write_text"]
