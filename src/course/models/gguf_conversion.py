"""Convert a GGUF file of llama.cpp to a safetensors checkpoint of ``transformers``, once.

``transformers`` reads the quantised weights with the package ``gguf`` (``pip install
'finetuning-vs-prompting[index]'``) and makes single precision of them; a model that was quantised
to four bits stays as coarse as it was, it only becomes trainable. Conversion takes memory and can
be killed for it, so :func:`convert` runs it in a process of its own, which reports the bytes of
weights that it has made.
"""

import importlib.util
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from course.foundation.progress import bytes_bar

#: The name of llama.cpp for SmolLM2's pre-tokenizer: every digit alone, then GPT-2's rule.
#: ``transformers`` 5.23 reads the file without the first half.
_DIGITS_ALONE = "smollm"
#: What converts, in a process of its own.
_PROGRAM = (sys.executable, "-m", __name__)
#: What that writes to its output as it goes on.
_REPORT = "{} of {} bytes"
_REPORTED = re.compile(_REPORT.format(r"(\d+)", r"(\d+)"))
#: Bytes of a number in single precision.
_SINGLE = 4


class ConversionError(RuntimeError):
    """A GGUF file that could not be converted, and what to do about it."""


def check_library() -> None:
    """Do nothing if the library that reads GGUF is installed.

    Raises:
        ConversionError: if it is not.
    """
    if importlib.util.find_spec("gguf") is None:
        raise ConversionError(
            "reading a GGUF file needs the package gguf, which is not installed; run "
            "pip install 'gguf>=0.19,<0.20' (it is what the extra 'index' of the course installs)"
        )


def convert(source: Path, folder: Path) -> None:
    """Write a checkpoint (configuration, weights, tokenizer) into an empty folder.

    Args:
        source: the GGUF file.
        folder: where the checkpoint goes.

    Raises:
        ConversionError: if ``gguf`` is not installed, and if the conversion fails or is killed.
    """
    check_library()
    command = [*_PROGRAM, str(source), str(folder)]
    # the package that is running now, wherever it lies
    path = [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
    settings = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, path))}
    status, errors = _run_watched(command, settings, f"converting {source.name}")
    if status < 0:
        raise ConversionError(
            f"the conversion of {source.name} was killed (signal {-status}), as systems "
            "do when memory runs out; close other programs and run again, "
            "what was downloaded is kept"
        )
    if status:
        last = next(reversed(errors.strip().splitlines()), "it said nothing")
        raise ConversionError(
            f"{source.name} cannot be converted: {last[:600]}; run again with the versions of "
            "constraints.txt"
        )


def _run_watched(command: list[str], settings: dict[str, str], title: str) -> tuple[int, str]:
    """Run a program under a bar of the bytes that it reports; its exit status and its errors."""
    # a file, since nobody empties a pipe of errors while the reports are read
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as errors:
        with (
            bytes_bar(title, 0) as bar,
            subprocess.Popen(
                command, env=settings, stdout=subprocess.PIPE, stderr=errors, encoding="utf-8"
            ) as program,
        ):
            try:
                for line in program.stdout or ():
                    if report := _REPORTED.fullmatch(line.strip()):
                        done, total = map(int, report.groups())
                        if bar.total != total:  # known from the first report on
                            bar.reset(total)
                        bar.update(done - bar.n)
            except BaseException:  # an interrupted program would go on writing
                program.kill()
                raise
        errors.seek(0)
        return program.returncode, errors.read()


def write_checkpoint(
    source: Path, folder: Path, report: Callable[[int, int], object] = lambda done, total: None
) -> None:
    """What :func:`convert` does, in this process.

    Args:
        report: is told the bytes of weights that are made, and of all, as it goes on.
    """
    import torch
    from safetensors.torch import save_file
    from transformers import AutoModelForCausalLM, AutoTokenizer

    place, name = str(source.parent), source.name
    tokenizer = AutoTokenizer.from_pretrained(place, gguf_file=name, local_files_only=True)
    _digits_alone(source, tokenizer)
    tokenizer.save_pretrained(folder)
    with _reported(source, report):
        model = AutoModelForCausalLM.from_pretrained(
            place, gguf_file=name, dtype=torch.float32, local_files_only=True
        )
    # the weights are whole numbers no more, so nothing may say that they are
    del model.config.quantization_config
    model.config.save_pretrained(folder)
    model.generation_config.save_pretrained(folder)
    weights = {
        key: value.contiguous()
        for key, value in model.state_dict().items()
        if key not in model.all_tied_weights_keys
    }
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


@contextmanager
def _reported(source: Path, report: Callable[[int, int], object]) -> Iterator[None]:
    """Report what is read of a GGUF file's weights: ``transformers`` takes them one by one through
    a function of ``gguf``, which it looks up when it begins.
    """
    import gguf

    total = _SINGLE * sum(int(tensor.n_elements) for tensor in gguf.GGUFReader(source).tensors)
    done, original, library = 0, gguf.dequantize, cast(Any, gguf)

    def dequantize(*arguments: Any) -> Any:
        nonlocal done
        weights = original(*arguments)
        done += _SINGLE * weights.size
        report(done, total)
        return weights

    report(done, total)
    library.dequantize = dequantize
    try:
        yield
    finally:
        library.dequantize = original


def _digits_alone(source: Path, tokenizer: Any) -> None:
    """Give SmolLM2's tokenizer the half of its rule that reading GGUF leaves out."""
    from gguf import GGUFReader
    from tokenizers import pre_tokenizers

    field = GGUFReader(source).fields.get("tokenizer.ggml.pre")
    if field is None or field.contents() != _DIGITS_ALONE:
        return
    core = tokenizer.backend_tokenizer
    core.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )


if __name__ == "__main__":
    write_checkpoint(
        Path(sys.argv[1]),
        Path(sys.argv[2]),
        lambda done, total: print(_REPORT.format(done, total), flush=True),
    )
