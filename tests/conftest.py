"""What the tests share: the labelled seed, an encoder and a cleaner without a model."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cleaner import CleanResult, Document, Finding
from cleaner.cleaning import Cleaner
from cleaner.segment import segment

FIXTURES = Path(__file__).parent.parent / "fixtures"


class HashEncoder:
    """Vectors from the hashes of a text's words: no model, always the same."""

    name = "hash"
    dimensions = 256

    def encode(self, texts):
        rows = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for at, text in enumerate(texts):
            for word in re.findall(r"\w+", text.casefold()):
                digest = hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=4)
                rows[at, int.from_bytes(digest.digest(), "big") % self.dimensions] += 1
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        return np.divide(rows, lengths, out=rows, where=lengths > 0)


class MarkCleaner:
    """Stands in for `Cleaner`: every fragment with "JUNK" in it goes. Real fragments, real cuts."""

    threshold = 0.5

    def clean_and_explain(self, text, *, title=None):
        return next(self.clean_many([Document(text, title=title)]))

    def clean_many(self, documents):
        for document in documents:
            yield self._result(document)

    def _result(self, document):
        segments = segment(document.text)
        spans = segments.deletions(["JUNK" in text for text in segments.texts])
        findings = tuple(
            Finding(
                span.start,
                span.end,
                document.text[span.start : span.end],
                0.9,
                "off-topic",
                {"a": 0.5},
            )
            for span in spans.values()
        )
        result = CleanResult(document.text, findings, identity=document.identity)
        return replace(result, judged=False, why="too short") if not segments.texts else result


@pytest.fixture
def marks():
    return MarkCleaner()


@pytest.fixture
def marked(monkeypatch, marks):
    """The command, with the cleaner that goes by the mark."""
    monkeypatch.setattr("cleaner.cleaning.Cleaner", lambda **_: marks)
    return marks


@pytest.fixture(scope="session")
def fast():
    return Cleaner()


@pytest.fixture(scope="session")
def small():
    """The whole pipeline on the encoder without a model, with the fast detector."""
    detector = Path(__file__).parent.parent / "cleaner" / "models" / "fast" / "detector"
    encoder = HashEncoder()
    encoder.dimensions = Cleaner()._encoder.dimensions
    return Cleaner(encoder=encoder, model=detector)


@pytest.fixture(scope="session")
def seed():
    return (FIXTURES / "seed" / "ukraine.txt").read_bytes().decode()


@pytest.fixture(scope="session")
def intruders():
    """The lines of the seed that go, with the blanks they begin with."""
    labelled = json.loads((FIXTURES / "seed" / "ukraine.expected.json").read_text("utf-8"))
    return [entry["text"] for entry in labelled["remove"]]
