"""Controls without a language model: the most common answer, and TF-IDF with logistic regression.

A method that does not beat them has learned nothing from its model.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file
from scipy.sparse import spmatrix
from sklearn.feature_extraction import DictVectorizer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics.pairwise import linear_kernel

from course.compare.base import Cost, Estimate, Method, Predictor, Setting
from course.compare.bodies import Bench
from course.compare.metering import Work
from course.compare.preparation import Prepared
from course.compare.task import Item, Prediction, TableTask

#: Inverse strengths of the penalty on the weights, the usual one first.
STRENGTHS = (1.0, 10.0, 0.1, 100.0)
_STEPS = 1000
_NUMBERS, _TERMS = "weights.safetensors", "terms.json"


# the most common answer


@dataclass
class Majority(Predictor):
    """The same answer for all; for tags, no names at all."""

    task: TableTask
    answer: str

    def predict(self, items: Sequence[Item]) -> list[Prediction]:
        if self.task.kind == "tags":
            return [Prediction(" ".join(["O"] * len(item.text.split()))) for item in items]
        return [Prediction(self.answer)] * len(items)

    def save(self, folder: Path) -> dict[str, Any]:
        return {"answer": self.answer}


@dataclass(frozen=True)
class MajorityMethod(Method):
    """The answer that is most common in training."""

    @property
    def cost(self) -> Cost:
        return Cost("nothing", "one answer", query=0)

    def settings(self, bench: Bench, size: int) -> list[Setting]:
        return [{}]

    def learn(
        self, bench: Bench, items: Sequence[Item], setting: Setting, seed: int, share: float = 1.0
    ) -> Predictor:
        return Majority(bench.task, Counter(item.answer for item in items).most_common(1)[0][0])

    def read(self, bench: Bench, folder: Path, stored: dict[str, Any]) -> Predictor:
        return Majority(bench.task, stored["answer"])

    def estimate(self, bench: Bench, data: Prepared, size: int) -> Estimate:
        return Estimate(Work(), Work(), 100)


# linear models on sparse features


@dataclass
class Linear:
    """A linear classifier: ``argmax(features @ weights.T + bias)``.

    Attributes:
        classes: the labels.
        weights, bias: (classes, features) and (classes,).
    """

    classes: tuple[str, ...]
    weights: np.ndarray
    bias: np.ndarray

    @classmethod
    def fitted(cls, features: Any, answers: Sequence[str], strength: float) -> "Linear":
        """Logistic regression; with one label alone, always that one."""
        if len(set(answers)) == 1:
            width = features.shape[1]
            return cls((answers[0],), np.zeros((1, width), np.float32), np.zeros(1, np.float32))
        model = LogisticRegression(C=strength, max_iter=_STEPS).fit(features, list(answers))
        weights, bias = model.coef_, model.intercept_
        if len(weights) == 1:  # two labels share one row of weights
            weights, bias = np.vstack([-weights, weights]) / 2, np.array([-bias[0], bias[0]]) / 2
        return cls(tuple(model.classes_), weights.astype(np.float32), bias.astype(np.float32))

    def predict(self, features: Any) -> list[str]:
        scores = features @ self.weights.T + self.bias  # (items, classes)
        return [self.classes[int(i)] for i in np.asarray(scores).argmax(1)]

    def arrays(self) -> dict[str, np.ndarray]:
        return {"weights": np.ascontiguousarray(self.weights), "bias": self.bias}


def _vectorizers() -> list[TfidfVectorizer]:
    """Words and pairs of words, and letter sequences, which serve languages without spaces, too."""
    words = {"ngram_range": (1, 2), "token_pattern": r"\S+", "max_features": 50_000}
    letters = {"analyzer": "char_wb", "ngram_range": (2, 4), "max_features": 50_000}
    return [TfidfVectorizer(sublinear_tf=True, **s) for s in (words, letters)]


@dataclass
class Tfidf(Predictor):
    """TF-IDF of words and letters, with a linear classifier or, for free answers, the answer of the
    nearest training text.
    """

    vectorizers: list[TfidfVectorizer]
    linear: Linear | None
    texts: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()

    def _features(self, texts: Sequence[str]) -> spmatrix:
        from scipy.sparse import hstack

        return hstack([v.transform(texts) for v in self.vectorizers]).tocsr()

    def predict(self, items: Sequence[Item]) -> list[Prediction]:
        features = self._features([item.text for item in items])
        if self.linear is not None:
            return [Prediction(answer) for answer in self.linear.predict(features)]
        nearest = linear_kernel(features, self._features(self.texts)).argmax(1)
        return [Prediction(self.answers[int(i)]) for i in nearest]

    def save(self, folder: Path) -> dict[str, Any]:
        terms = [{term: int(i) for term, i in v.vocabulary_.items()} for v in self.vectorizers]
        idf = {f"idf{n}": v.idf_.astype(np.float32) for n, v in enumerate(self.vectorizers)}
        arrays = idf | (self.linear.arrays() if self.linear else {})
        save_file(arrays, folder / _NUMBERS)
        _write(folder / _TERMS, terms)
        classes = list(self.linear.classes) if self.linear else None
        return {"classes": classes, "texts": self.texts, "answers": self.answers}

    @classmethod
    def read(cls, bench: Bench, folder: Path, stored: dict[str, Any]) -> "Tfidf":
        arrays, vectorizers = load_file(folder / _NUMBERS), _vectorizers()
        terms = json.loads((folder / _TERMS).read_text(encoding="utf-8"))
        for number, (vectorizer, own) in enumerate(zip(vectorizers, terms, strict=True)):
            vectorizer.vocabulary = own
            vectorizer.idf_ = arrays[f"idf{number}"].astype(np.float64)
        linear = None
        if stored["classes"]:
            linear = Linear(tuple(stored["classes"]), arrays["weights"], arrays["bias"])
        return cls(vectorizers, linear, tuple(stored["texts"]), tuple(stored["answers"]))


def word_features(words: Sequence[str]) -> list[dict[str, float]]:
    """What a control without a model sees of each word: itself, its neighbours, ends and shape."""
    rows: list[dict[str, float]] = []
    for i, word in enumerate(words):
        before = words[i - 1].lower() if i else "<s>"
        after = words[i + 1].lower() if i + 1 < len(words) else "</s>"
        shape = "".join(
            "X" if c.isupper() else "x" if c.islower() else "9" if c.isdigit() else c for c in word
        )
        names = (
            f"w={word.lower()}", f"b={before}", f"a={after}", f"s={shape[:8]}",
            f"e={word[-3:].lower()}", f"p={word[:3].lower()}", f"first={i == 0}",
        )  # fmt: skip
        rows.append(dict.fromkeys(names, 1.0))
    return rows


@dataclass
class WordTagger(Predictor):
    """A tag for every word, from the word and its neighbours."""

    vectorizer: DictVectorizer
    linear: Linear

    def predict(self, items: Sequence[Item]) -> list[Prediction]:
        words = [item.text.split() for item in items]
        rows = [row for some in words for row in word_features(some)]
        tags = iter(self.linear.predict(self.vectorizer.transform(rows)))
        return [Prediction(" ".join(next(tags) for _ in some)) for some in words]

    def save(self, folder: Path) -> dict[str, Any]:
        save_file(self.linear.arrays(), folder / _NUMBERS)
        _write(folder / _TERMS, list(self.vectorizer.feature_names_))
        return {"classes": list(self.linear.classes)}

    @classmethod
    def read(cls, bench: Bench, folder: Path, stored: dict[str, Any]) -> "WordTagger":
        names = json.loads((folder / _TERMS).read_text(encoding="utf-8"))
        vectorizer, arrays = DictVectorizer(), load_file(folder / _NUMBERS)
        vectorizer.fit([dict.fromkeys(names, 1.0)])
        return cls(vectorizer, Linear(tuple(stored["classes"]), arrays["weights"], arrays["bias"]))


def _write(path: Path, data: Any) -> None:
    path.write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")


@dataclass(frozen=True)
class TfidfMethod(Method):
    """TF-IDF and logistic regression; of free answers the nearest text's."""

    @property
    def cost(self) -> Cost:
        return Cost(
            "a logistic regression (of free answers nothing)", "its terms and weights", query=0
        )

    def settings(self, bench: Bench, size: int) -> list[Setting]:
        if bench.task.kind == "answers":
            return [{}]
        return [{"strength": strength} for strength in STRENGTHS]

    def learn(
        self, bench: Bench, items: Sequence[Item], setting: Setting, seed: int, share: float = 1.0
    ) -> Predictor:
        texts, answers = [item.text for item in items], [item.answer for item in items]
        if bench.task.kind == "tags":
            rows = [row for text in texts for row in word_features(text.split())]
            vectorizer = DictVectorizer()
            tags = [tag for answer in answers for tag in answer.split()]
            linear = Linear.fitted(vectorizer.fit_transform(rows), tags, setting["strength"])
            return WordTagger(vectorizer, linear)
        predictor = Tfidf([v.fit(texts) for v in _vectorizers()], None)
        if bench.task.kind == "answers":
            predictor.texts, predictor.answers = tuple(texts), tuple(answers)
        else:
            features = predictor._features(texts)
            predictor.linear = Linear.fitted(features, answers, setting["strength"])
        return predictor

    def read(self, bench: Bench, folder: Path, stored: dict[str, Any]) -> Predictor:
        kind = WordTagger if bench.task.kind == "tags" else Tfidf
        return kind.read(bench, folder, stored)

    def estimate(self, bench: Bench, data: Prepared, size: int) -> Estimate:
        """Bytes by the terms of a part of the texts; their number grows about as the root of the
        text's length (Heaps' law, with the usual exponent 0.6).
        """
        some = [item.text for item in data.train[:200]]
        if data.task.kind == "tags":
            names = {name for text in some for row in word_features(text.split()) for name in row}
            terms, letters = len(names), sum(map(len, names))
        else:
            found = [v.fit(some).vocabulary_ for v in _vectorizers()]
            terms, letters = sum(map(len, found)), sum(len(t) for v in found for t in v)
        growth = (size / max(len(some), 1)) ** 0.6
        each = 4 * max(len(data.task.labels), 1) + 4 + letters / max(terms, 1) + 12
        if data.task.kind == "answers":
            each = 4 + letters / max(terms, 1) + 12
        return Estimate(Work(), Work(), each * min(terms * growth, 100_000))


def groups(items: Sequence[Item]) -> dict[str, list[Item]]:
    """Items by their answer."""
    by_answer: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        by_answer[item.answer].append(item)
    return by_answer
