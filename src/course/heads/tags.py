"""Token classification: a tag for every word, from the vector of its first piece."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from seqeval.metrics import accuracy_score, f1_score, precision_score, recall_score
from transformers import AutoModelForTokenClassification, PreTrainedModel, PreTrainedTokenizerBase

from course.foundation.validation import shown
from course.heads.head import Head, Piece, outputs, too_long
from course.heads.rows import number_of, words_in
from course.models.loading import AutoModelClass
from course.training.batches import pad_id
from course.training.packing import IGNORED


@dataclass(frozen=True)
class TokenHead(Head):
    """BIO tags for the words of a sentence, as in CoNLL-2003 (Tjong Kim Sang and De Meulder 2003).

    Attributes:
        labels: the tags, in the order of the numbers in the column ``ner_tags``; the column may
            hold the tags themselves, too.
    """

    loader: ClassVar[AutoModelClass] = AutoModelForTokenClassification
    kind: ClassVar[str] = "tokens"
    measure: ClassVar[str] = "F1"

    def features(self, tokenizer: PreTrainedTokenizerBase, rows: Sequence[dict]) -> list[dict]:
        rows = list(rows)
        numbers = [self._numbers(row, f"row {i}") for i, row in enumerate(rows)]
        return [
            inputs | {"labels": labels_of_pieces(tags, first, len(inputs["input_ids"]))}
            for inputs, first, tags in zip(*self._encoded(tokenizer, rows), numbers, strict=True)
        ]

    def _numbers(self, row: dict, where: str) -> list[int]:
        words, tags = words_in(row, "tokens", where), row.get("ner_tags")
        if not isinstance(tags, list | tuple) or len(tags) != len(words):
            raise ValueError(
                f"{where}: {len(words)} tokens and ner_tags={shown(tags)}: expected one tag for "
                "each token"
            )
        return [number_of(tag, self.labels, f"{where}, token {i}") for i, tag in enumerate(tags)]

    def predict(
        self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, rows: Sequence[dict]
    ) -> list[list[str]]:
        """The tags of each row: of each word, the likeliest tag at its first piece. A row needs no
        tags of its own.
        """
        rows = list(rows)
        features, firsts = self._encoded(tokenizer, rows)
        predictions: list[list[str]] = [[] for _ in rows]
        for positions, output in outputs(model, features, pad_id(tokenizer)):
            for i, pieces in zip(
                positions, output.logits.argmax(-1).tolist(), strict=True
            ):  # (B, T, C)
                predictions[i] = tags_of_words(
                    [self.labels[tag] for tag in pieces], firsts[i], len(rows[i]["tokens"])
                )
        return predictions

    def truth(self, row: dict) -> list[str]:
        return [self.labels[tag] for tag in self._numbers(row, "the row")]

    def pieces(self, row: dict, prediction: list[str]) -> tuple[Piece, ...]:
        return tuple(marked_words(row["tokens"], prediction))

    def cases(self, row: dict, prediction: list[str]) -> list[tuple[str, bool]]:
        """The entities of the row by their kind; right is one that was found whole and of that
        kind.
        """
        predicted = set(entities(prediction))
        return [(entity[2], entity in predicted) for entity in entities(self.truth(row))]

    def measures(self, rows: Sequence[dict], predictions: Sequence[list[str]]) -> dict[str, float]:
        """seqeval's F1, precision and recall over whole entities (all its words and its kind
        right), and the share of right tags.
        """
        right = [self.truth(row) for row in rows]
        kinds = {"F1": f1_score, "precision": precision_score, "recall": recall_score}
        scores = {
            name: 100 * float(measure(right, list(predictions), zero_division=0))
            for name, measure in kinds.items()
        }
        return scores | {"accuracy": 100 * accuracy_score(right, list(predictions))}

    def _encoded(
        self, tokenizer: PreTrainedTokenizerBase, rows: list[dict]
    ) -> tuple[list[dict], list[dict[int, int]]]:
        """What the model reads, and for each row the position of every word's first piece."""
        words = [words_in(row, "tokens", f"row {i}") for i, row in enumerate(rows)]
        encoded = tokenizer(
            words, is_split_into_words=True, split_special_tokens=True, verbose=False
        )
        features, firsts = [], []
        for i, row in enumerate(rows):
            feature = {name: encoded[name][i] for name in encoded}
            length = len(feature["input_ids"])
            if length > tokenizer.model_max_length:
                raise too_long(i, row, length, tokenizer)
            firsts.append(first_pieces(encoded.word_ids(i)))
            features.append(feature)
        return features, firsts


def first_pieces(word_ids: Sequence[int | None]) -> dict[int, int]:
    """Word -> position of its first piece; ``word_ids`` gives the word of each piece, None for
    special tokens.

    A word that the tokenizer drops (of control characters, say) has no piece.
    """
    firsts: dict[int, int] = {}
    for position, word in enumerate(word_ids):
        if word is not None:
            firsts.setdefault(word, position)
    return firsts


def labels_of_pieces(tags: Sequence[int], first: dict[int, int], length: int) -> list[int]:
    """The label of each of ``length`` pieces: a word's tag at its first piece, :data:`IGNORED` at
    the others and at special tokens.
    """
    labels = [IGNORED] * length
    for word, position in first.items():
        labels[position] = tags[word]
    return labels


def tags_of_words(pieces: Sequence[str], first: dict[int, int], count: int) -> list[str]:
    """The tag of each of ``count`` words: its first piece's, ``"O"`` for a word without one."""
    return [pieces[first[word]] if word in first else "O" for word in range(count)]


def entities(tags: Sequence[str]) -> list[tuple[int, int, str]]:
    """(first word, one past the last, kind) of each entity in BIO tags.

    As seqeval reads them: an entity also begins where an ``I-`` follows another kind or nothing.
    """
    spans: list[tuple[int, int, str]] = []
    kinds = [tag[2:] for tag in tags]
    for i, tag in enumerate(tags):
        if tag == "O":
            continue
        if tag[0] == "B" or i == 0 or kinds[i - 1] != kinds[i]:
            spans.append((i, i + 1, kinds[i]))
        else:
            spans[-1] = (spans[-1][0], i + 1, kinds[i])
    return spans


def marked_words(words: Sequence[str], tags: Sequence[str]) -> list[Piece]:
    """A sentence with its entities as marked pieces."""
    pieces, done = [], 0
    for start, end, kind in entities(tags):
        if start > done:
            pieces.append(Piece(" ".join(words[done:start])))
        pieces.append(Piece(" ".join(words[start:end]), kind))
        done = end
    return [*pieces, Piece(" ".join(words[done:]))] if done < len(words) else pieces
