"""Formulas as MathML: all of the book's can be written, and what cannot is refused."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from course.publishing.page.formulas import mathml

ROOT = Path(__file__).parents[2]
MATH = "{http://www.w3.org/1998/Math/MathML}"
FORMULAS = sorted(
    {
        formula
        for path in (ROOT / "book").glob("*.md")
        for formula in re.findall(r"\$+([^$\n]+)\$+", path.read_text(encoding="utf-8"))
    }
)

#: Number of children -> the elements that must have as many.
_PARTS = {2: ("msub", "msup", "munder", "mover", "mfrac"), 3: ("msubsup", "munderover")}


def test_every_formula_of_the_book_becomes_mathml_that_keeps_its_latex():
    assert len(FORMULAS) > 20
    for formula in FORMULAS:
        element = ET.fromstring(mathml(formula))
        assert element.tag == f"{MATH}math"
        (annotation,) = element.iter(f"{MATH}annotation")
        assert annotation.text == formula.strip()
        for parts, names in _PARTS.items():
            assert {len(e) for name in names for e in element.iter(MATH + name)} <= {parts}, formula


def test_functions_have_a_thin_space_before_their_argument_and_none_before_a_parenthesis():
    spaced = mathml(r"\log p")
    assert '<mi>log</mi><mspace width="0.167em" />' in spaced
    assert "<mspace" not in mathml(r"\tanh(x)").split("<annotation")[0]
    assert (
        "arg" in mathml(r"\arg\max_y p") and r"\arg" not in mathml(r"\arg\max_y p").split("<ann")[0]
    )
    assert "&#x0002A;" not in mathml(r"\arg\max_y p"), "no asterisk"


def test_a_formula_in_a_line_of_its_own_is_displayed():
    assert 'display="block"' in mathml("x", display=True)
    assert 'display="inline"' in mathml("x")


def test_an_unknown_command_is_named():
    with pytest.raises(ValueError, match=r"the formula '\\\\nosuch x': \\nosuch cannot be written"):
        mathml(r"\nosuch x")
