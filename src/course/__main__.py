"""The command ``course``: ``course --help`` lists what it does, ``course NAME --help`` says how.

A command's module loads when the command runs, so that asking for help needs no torch.
"""

import argparse
import sys
from importlib import import_module

#: Command -> the module whose ``main`` it runs, and what it is for.
COMMANDS = {
    "compare": ("course.compare.command", "which method for a table of your own, at what cost"),
    "use": ("course.compare.use_command", "answer new rows with what 'compare' has learned"),
    "models": ("course.models.listing", "list the models of each tier: size, licence, sha256"),
    "studies": ("course.studies.command", "measure what the book reports and lacks a record"),
    "pretrain": ("course.pretraining.train", "pretrain the shipped models again"),
    "notebooks": ("course.publishing.notebooks", "execute the notebooks of the book"),
    "pdf": ("course.publishing.pdf", "print the built book into one PDF, by way of Chromium"),
    "slides": ("course.publishing.slides", "slides of the key figures, one HTML file a chapter"),
    "keys": ("course.publishing.keys", "the lecturer's answers, and notebooks without them"),
    "address": ("course.publishing.site", "say where the course lives, everywhere at once"),
}


def _parser() -> argparse.ArgumentParser:
    lines = [f"  {name:12}{purpose}" for name, (_, purpose) in COMMANDS.items()]
    parser = argparse.ArgumentParser(
        prog="course",
        description="Finetuning vs. Prompting: a course you can run.",
        epilog="\n".join(["commands:", *lines, "", "'course COMMAND --help' says more."]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=COMMANDS, metavar="COMMAND", help="one of those below")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="of the command")
    return parser


def main(arguments: list[str] | None = None) -> None:
    """Runs one command with the arguments that follow its name."""
    chosen = _parser().parse_args(arguments)
    module, _ = COMMANDS[chosen.command]
    sys.argv[0] = f"course {chosen.command}"  # the name that the command's own help shows
    import_module(module).main(chosen.arguments)


if __name__ == "__main__":
    main()
