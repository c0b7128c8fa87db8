"""History of a training run: losses, validation scores, the best step, time and tokens."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class History:
    """The course of a training run; :func:`course.plots.learning_curve` draws it.

    Attributes:
        losses: of every step, in nats a predicted token (or a label).
        scores: (steps done, score) of every validation.
        best_step: the steps after which the model had the best score; it holds those weights. None
            without validation.
        stopped_early: whether patience ran out.
        seconds, tokens: how long it took, and the tokens that were read, padding not included.
    """

    losses: tuple[float, ...]
    scores: tuple[tuple[int, float], ...]
    best_step: int | None
    stopped_early: bool
    seconds: float
    tokens: int


@dataclass
class Progress:
    """Where a run stands; what becomes its :class:`History`."""

    losses: list[float] = field(default_factory=list)
    scores: list[tuple[int, float]] = field(default_factory=list)
    best_step: int | None = None
    stopped_early: bool = False
    seconds: float = 0.0
    tokens: int = 0

    @property
    def step(self) -> int:
        return len(self.losses)

    def history(self) -> History:
        scores = tuple((step, value) for step, value in self.scores)
        return History(**{**vars(self), "losses": tuple(self.losses), "scores": scores})
