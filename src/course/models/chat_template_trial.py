"""A program that renders a chat template within bounds; :mod:`course.models.checkpoint_files` runs
it.

Reads ``{"template": ..., "messages": ...}`` in JSON. Ends with status 0 if all is well; otherwise
it says what is wrong and ends with 1. It imports nothing of the course, so that it starts quickly.
"""

import json
import sys
from contextlib import suppress
from datetime import datetime
from typing import Any, NoReturn

import jinja2
from jinja2 import nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

#: Bytes of memory, where the system can bound it, and characters of the text.
MEMORY, MOST = 1 << 30, 1_000_000


class Generation(Extension):
    """``{% generation %}``, with which templates mark the replies of the model."""

    tags = {"generation"}  # noqa: RUF012 (jinja2 declares it so)

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def render(template: str, messages: list[dict]) -> str:
    """The text of a conversation, with what ``transformers`` offers a template."""

    def refuse(message: str) -> NoReturn:
        raise jinja2.TemplateError(message)

    def tojson(value: object, **settings: Any) -> str:
        return json.dumps(value, **{"ensure_ascii": False, **settings})

    extensions = [Generation, loopcontrols]
    room = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=extensions
    )
    room.filters["tojson"] = tojson
    room.globals["raise_exception"] = refuse
    room.globals["strftime_now"] = lambda form: datetime.now().strftime(form)
    tokens = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
    return room.from_string(template).render(
        messages=messages, add_generation_prompt=True, **tokens
    )


def bound_memory() -> None:
    """Let this process have :data:`MEMORY` at most. Windows has no such bound."""
    with suppress(ImportError, ValueError, OSError):
        import resource  # not on Windows

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def main() -> int:
    request = json.loads(sys.stdin.buffer.read())
    bound_memory()
    problem = ""
    try:
        text = render(request["template"], request["messages"])
        if len(text) > MOST:
            problem = f"it writes {len(text)} characters"
    except MemoryError:
        problem = "it wants more than a gigabyte of memory"
    # a template is a program, so it can raise anything
    except Exception as error:
        problem = f"{type(error).__name__}: {error}"
    sys.stdout.buffer.write(problem[:1000].encode("utf-8", "replace"))
    return 1 if problem else 0


if __name__ == "__main__":
    sys.exit(main())
