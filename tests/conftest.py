"""What the tests share: the labelled seed, an encoder and a cleaner without a model."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import hypothesis
import pytest
from hash_encoder import StandIn

from cleaner import CleanResult, Document, Finding
from cleaner.cleaning import Cleaner
from cleaner.segment import segment

# A test says itself whether it wants colour, whatever the environment says for or against it.
for _name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "COLORTERM"):
    os.environ.pop(_name, None)

# No test asserts a time: not even that of one example, on a machine that others use.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

FIXTURES = Path(__file__).parent.parent / "fixtures"


class MarkCleaner:
    """Stands in for `Cleaner`: every fragment with "JUNK" in it goes. Real fragments, real cuts."""

    threshold = 0.5

    def clean_and_explain(self, text, *, title=None):
        return next(self.clean_many([Document(text, title=title)]))

    def clean_many(self, documents, *, batch_documents=32):  # noqa: ARG002  # judges one by one
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
    return Cleaner(encoder=StandIn(detector), model=detector)


@pytest.fixture(scope="session")
def seed():
    return (FIXTURES / "seed" / "ukraine.txt").read_bytes().decode()


@pytest.fixture(scope="session")
def intruders():
    """The lines of the seed that go, with the blanks they begin with."""
    labelled = json.loads((FIXTURES / "seed" / "ukraine.expected.json").read_text("utf-8"))
    return [entry["text"] for entry in labelled["remove"]]
