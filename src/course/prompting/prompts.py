"""Prompts: an instruction, demonstrations and a query, written down by a template, with a
verbalizer's words for the labels.

Everything about a prompt that one may want to vary is a field of it, so that a study changes one
thing and keeps the rest. How demonstrations are chosen and ordered is in
:mod:`course.prompting.selection`, what can be done to them in :mod:`course.prompting.ablations`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from string import Formatter

from transformers import PreTrainedTokenizerBase

from course.lm.tokenization import Encoder
from course.world.example import Example
from course.world.list_documents import FORMATS

#: Where the instruction may stand: above everything, right above the query, or above every item.
PLACES = ("first", "last", "each")
#: What ends a line, for Python and for whoever reads it.
_LINE_BREAK = re.compile("\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
#: What may stand before a quoted line; a layout may use one of them itself.
_QUOTES = (">", "|", "~")


class DemonstrationsDoNotFit(ValueError):
    """A prompt is longer than the context window; ``fit`` is how many of its demonstrations there
    is room for.
    """

    def __init__(self, message: str, fit: int):
        super().__init__(message)
        self.fit = fit


@dataclass(frozen=True)
class Template:
    """How a prompt is written down.

    Where the lines of an item begin with names (``Input:``, ``Output:``), no text in it can pass
    for such a line: one that begins like it gets ``> `` before it, as quoted mail has, and where a
    blank line ends an item, a blank line in a text gets ``>``. Other texts stand as they are. A
    layout on one line, such as those of the lists, has nothing but its own signs to tell texts
    apart.

    Attributes:
        item: the layout of one item, with ``{x}`` for the input and, behind it, ``{y}`` for the
            output. The query is laid out alike and ends where its output should stand. Braces that
            should stand in the prompt are doubled, as in ``str.format``.
        separator: what stands between two items.
        instruction: the layout of the instruction, with ``{instruction}``.
        place: where the instruction stands, one of :data:`PLACES`.

    Raises:
        TypeError: for a layout that is no text.
        ValueError: for one without its fields or with others, and for another place.
    """

    item: str = FORMATS["colon"]
    separator: str = " "
    instruction: str = "{instruction} \n"
    place: str = "first"

    def __post_init__(self) -> None:
        for name in ("item", "separator", "instruction"):
            if not isinstance(getattr(self, name), str):
                raise TypeError(f"{name}={getattr(self, name)!r}: expected a text")
        if _pieces(self.item)[1] != ["x", "y"]:
            raise ValueError(
                f"item={self.item!r}: expected a text with {{x}} and, behind it, {{y}}, each once,"
                " and no other field"
            )
        if _pieces(self.instruction)[1] != ["instruction"]:
            raise ValueError(
                f"instruction={self.instruction!r}: expected a text with {{instruction}} once and"
                " no other field"
            )
        if self.place not in PLACES:
            raise ValueError(f"place={self.place!r}: expected one of {', '.join(PLACES)}")

    @property
    def stop(self) -> str:
        """The text that ends an output: what the layout puts behind it, else the separator, else a
        line break.
        """
        return self._parts[2].strip(" ") or self.separator.strip(" ") or "\n"

    def continuation(self, word: str) -> str:
        """An output as it follows the query, with the space that the layout puts before it."""
        between = self._parts[1]
        return between[len(between.rstrip(" ")) :] + self._guarded(
            word, between.rstrip(" ").endswith("\n")
        )

    def query(self, text: str) -> str:
        """The query, up to where its output should stand."""
        before, between, _ = self._parts
        return (
            before
            + self._guarded(text, not before or before.rstrip(" ").endswith("\n"))
            + between.rstrip(" ")
        )

    def shown(self, text: str, word: str) -> str:
        """A demonstration. Without an output, or without an input, the other one stands alone."""
        _, between, behind = self._parts
        if text and word:
            return self.query(text) + self.continuation(word) + behind
        return self._guarded(text or word, at_start=True) + behind

    @cached_property
    def _parts(self) -> tuple[str, str, str]:
        """What stands before the input, between it and the output, and behind that."""
        (before, between, behind), _ = _pieces(self.item)
        return before, between, behind

    @cached_property
    def _names(self) -> tuple[str, ...]:
        """With what those lines of an item begin that do not begin with a text of it; spaces and
        capitals do not count.
        """
        lines = "\0".join(self._parts).split("\n") + self.separator.split("\n")[1:]
        return tuple(filter(None, (_squeezed(line.split("\0")[0]) for line in lines)))

    @cached_property
    def _ends_blank(self) -> bool:
        """Whether a blank line ends an item."""
        return "\n\n" in (self._parts[2] + self.separator).replace(" ", "")

    def _guarded(self, text: str, at_start: bool) -> str:
        """A text none of whose lines can end its item or pass for a line of another one.

        Args:
            at_start: whether it begins at the start of a line.
        """
        lines = _LINE_BREAK.split(text)
        if not text or not any(self._is_taken(line) for line in lines[not at_start :]):
            return text
        while len(lines) > 1 and self._is_taken(lines[-1]) and not lines[-1].strip():
            lines.pop()  # what only breaks the line at the end says nothing
        sign = next(
            (sign for sign in _QUOTES if not any(name.startswith(sign) for name in self._names)),
            _QUOTES[0],
        )
        safe = [f"{sign} {line}".rstrip() if self._is_taken(line) else line for line in lines]
        return "\n".join(safe if at_start else [lines[0], *safe[1:]])

    def _is_taken(self, line: str) -> bool:
        squeezed = _squeezed(line)
        return squeezed.startswith(self._names) if squeezed else self._ends_blank


def _squeezed(line: str) -> str:
    return "".join(line.split()).casefold()


def _pieces(layout: str) -> tuple[list[str], list[str]]:
    """What stands around the fields of a layout, as it will stand in the prompt, and the names of
    the fields.
    """
    try:
        parsed = list(Formatter().parse(layout))
    except ValueError as error:
        raise ValueError(
            f"{layout!r} cannot be read as a layout ({error}); double the braces that should stand"
            " in the prompt"
        ) from None
    around, names = [""], []
    for text, name, spec, conversion in parsed:
        around[-1] += text
        if name is not None:
            names.append(
                name + (f"!{conversion}" if conversion else "") + (f":{spec}" if spec else "")
            )
            around.append("")
    return around, names


#: The layouts of the lists that the small models were pretrained on, and two that no document of
#: theirs has.
LIST_TEMPLATES = {name: Template(item) for name, item in FORMATS.items()}
#: Templates of lists that the corpus does not have.
UNSEEN_TEMPLATES = {"comma": Template("{x} , {y} ;"), "question": Template("{x} ? {y} \n")}
#: A layout in plain English for models that read it, as in lm-evaluation-harness: a blank line
#: between items.
PLAIN = Template("Input: {x}\nOutput: {y}\n\n", separator="", instruction="{instruction}\n\n")


@dataclass(frozen=True)
class Verbalizer:
    """Which word stands for which label (標籤詞對應; Schick and Schütze 2021). Without labels every
    output stands for itself.

    Attributes:
        pairs: (label, word), in the order of the labels.
    """

    pairs: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        for kind, values in (("label", self.labels), ("word", self.words)):
            if twice := [value for value in values if values.count(value) > 1]:
                raise ValueError(
                    f"the {kind} {twice[0]!r} stands twice in {list(self.pairs)}: expected a word"
                    " of its own for each label"
                )
        if not all(self.words):
            raise ValueError(f"an empty word in {list(self.pairs)}: expected one for each label")

    @classmethod
    def of(cls, labels: Sequence[str], words: Mapping[str, str] | None = None) -> "Verbalizer":
        """A word for every label; the labels themselves by default.

        Raises:
            ValueError: if a label has no word, a word no label, or two labels share one.
        """
        words = {label: label for label in labels} if words is None else words
        missing, extra = (
            [x for x in labels if x not in words],
            [x for x in words if x not in labels],
        )
        if missing or extra:
            raise ValueError(
                f"labels without a word: {missing}, words without a label: {extra}; expected one"
                f" for each of {list(labels)}"
            )
        return cls(tuple((label, words[label]) for label in labels))

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(label for label, _ in self.pairs)

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(word for _, word in self.pairs)

    def __call__(self, label: str) -> str:
        """The word for a label.

        Raises:
            ValueError: for a label that has none.
        """
        if not self.pairs or not label:
            return label
        if label not in self.labels:
            raise ValueError(
                f"no word for the label {label!r}; expected one of {', '.join(self.labels)}"
            )
        return dict(self.pairs)[label]


@dataclass(frozen=True)
class Prompt:
    """What a model is given to continue.

    Attributes:
        query: the input to answer.
        demonstrations: solved examples, in the order in which they are shown; their outputs are
            labels, not words.
        instruction: what is asked, in words; empty for none.
        template, verbalizer: how it is written down.
    """

    query: str
    demonstrations: tuple[Example, ...] = ()
    instruction: str = ""
    template: Template = Template()
    verbalizer: Verbalizer = Verbalizer()

    @property
    def text(self) -> str:
        """The whole prompt."""
        layout, told = self.template, []
        if self.instruction:
            told = [layout.instruction.format(instruction=self.instruction)]
        parts = list(told) if layout.place == "first" else []
        for shown in self.demonstrations:
            parts += told if layout.place == "each" else []
            parts.append(layout.shown(shown.input, self.verbalizer(shown.output)))
        parts += [] if layout.place == "first" else told
        return layout.separator.join([*parts, layout.query(self.query)])

    @property
    def zero_shot(self) -> "Prompt":
        """The same prompt without its demonstrations."""
        return replace(self, demonstrations=())

    @property
    def candidates(self) -> tuple[str, ...]:
        """The words for the labels, each as it goes on after the text."""
        return tuple(self.template.continuation(word) for word in self.verbalizer.words)

    def tokens(self, tokenizer: PreTrainedTokenizerBase, chat: bool | None = None) -> list[int]:
        """The ids of the whole prompt, as :class:`course.lm.LanguageModel` reads them."""
        return Encoder(tokenizer, chat, "allow").prompts([self.text])[0]

    def check_fits(
        self,
        tokenizer: PreTrainedTokenizerBase,
        window: int,
        room: int = 1,
        chat: bool | None = None,
    ) -> None:
        """Refuse a prompt that leaves no room in the context window for its answer.

        Args:
            window: tokens that the model can read at once.
            room: tokens that are kept free for the answer.

        Raises:
            DemonstrationsDoNotFit: saying how many of the demonstrations, from the first, there is
                room for.
            ValueError: if the prompt is too long without any demonstration.
        """
        encoder = Encoder(tokenizer, chat, "allow")

        def length(shots: int) -> int:
            return (
                len(
                    encoder.prompts(
                        [replace(self, demonstrations=self.demonstrations[:shots]).text]
                    )[0]
                )
                + room
            )

        shots = len(self.demonstrations)
        if length(shots) <= window:
            return
        needed = (
            f"needs {length(shots)} tokens with {room} for the answer, and the window holds"
            f" {window}"
        )
        if length(0) > window:
            raise ValueError(
                f"the prompt for {self.query[:40]!r} {needed}; even without demonstrations it is"
                " too long: shorten the query"
            )
        fit = max(n for n in range(shots) if length(n) <= window)
        raise DemonstrationsDoNotFit(
            f"a prompt with {shots} demonstrations {needed}; {fit} of them fit: show at most {fit}",
            fit,
        )
