"""The models live in the page: their code in JavaScript, and the program that puts it and the
weights into the built book.
"""

from pathlib import Path

#: The folder of the scripts and the style of the widgets.
SOURCES = Path(__file__).parent
#: The folder of the built book that they are written to.
FOLDER = "_static/live"
