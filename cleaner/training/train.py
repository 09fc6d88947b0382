"""What `cleaner train --encoder` does: topic model, detector and calibration for any encoder."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cleaner.encoders import SHIPPED, load_encoder
from cleaner.encoders.static import is_static
from cleaner.errors import InputError
from cleaner.training.detector import Fitted, figures_by, fit, save
from cleaner.training.examples import prepare
from cleaner.training.folder import whole_folder
from cleaner.training.knowledge import fit_topic, inverse_document_frequency
from cleaner.training.made import by_fold, digests, headlined, intruders
from cleaner.training.sources import TrainingData, hosts_of, languages_of

if TYPE_CHECKING:
    from cleaner.command import Say
    from cleaner.encoders import Encoder, Vectors
    from cleaner.evaluation import Figures, Host, Labelled

FEWEST_ARTICLES = 50  # the fewest from which within- and between-article spread can be told
_DIGESTS = 0.07  # digests for each article


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """How to train.

    Attributes
    ----------
    encoder
        ``fast``, ``accurate``, or the name or folder of a sentence-transformers model.
    threshold
        The default threshold to store, 0 to 1.
    axes
        Axes of the topic model, at most the encoder's dimensions.
    limit
        Most articles that are learned from.
    trees
        Trees of the first and of the second pass.
    """

    encoder: str
    threshold: float = 0.8
    axes: int = 64
    limit: int = 1000
    trees: tuple[int, int] = (120, 200)


@dataclass(frozen=True, slots=True)
class Trained:
    """What came of it: the detector, and its figures on folds apart, by kind of document."""

    fitted: Fitted
    encoder: Encoder
    languages: tuple[str, ...]
    figures: dict[str, Figures]
    documents: dict[str, int]


class RememberingEncoder:
    """An encoder that encodes a text once: made documents hold the same sentences many times."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._known: dict[str, Vectors] = {}
        self.name = encoder.name
        self.dimensions = encoder.dimensions

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Vectors of `texts`: float32, shape (len(texts), dimensions), unit length or zero."""
        new = list(dict.fromkeys(text for text in texts if text not in self._known))
        self._known.update(zip(new, self._encoder.encode(new), strict=True))
        if not texts:
            return np.zeros((0, self.dimensions), dtype=np.float32)
        return np.stack([self._known[text] for text in texts])

    def encode_documents(self, documents: Sequence[Sequence[str]]) -> list[Vectors]:
        """Vectors of each document's texts."""
        return [self.encode(texts) for texts in documents]


def check_data(data: TrainingData) -> None:
    """Refuse data from which nothing can be learned.

    Raises
    ------
    InputError
        If there are too few articles, or only lines of one label.
    """
    counts = Counter(label for document in data.labelled for label in document.labels)
    for label, name in ((1, "to be removed"), (0, "to be kept")):
        if data.labelled and not counts[label]:
            raise InputError(
                f"of {sum(counts.values())} labelled lines none is {name}",
                next_step="give lines of both kinds, or clean articles without labels",
            )
    if len(data.bodies) < FEWEST_ARTICLES:
        raise _too_few(len(data.bodies), "articles")


def _too_few(count: int, what: str, *, limited: int = 0) -> InputError:
    """What the user is told; `limited`: how many there are without a limit."""
    step = "raise --limit" if limited >= FEWEST_ARTICLES else "give more articles"
    return InputError(
        f"{count} {what}, at least {FEWEST_ARTICLES} are needed",
        next_step=f"{step}; some hundred make a good detector",
    )


def train(
    data: TrainingData, settings: TrainSettings, *, say: Say, encoder: Encoder | None = None
) -> Trained:
    """Fit a detector for an encoder.

    Intruding sentences, paragraphs, boxes and headlines of the user's other articles are put into
    each article; labelled documents are learned from as they are. Every figure comes from
    documents whose site (or article) the scoring model did not see.

    Parameters
    ----------
    encoder
        That of the settings, where it is loaded already.

    Raises
    ------
    InputError
        If there are too few articles, or their language cannot be told.
    ModelError
        If the encoder cannot be had.
    """
    check_data(data)
    languages = languages_of(data.bodies)
    if not languages:
        raise InputError(
            "the articles' language cannot be told", next_step="give articles of running text"
        )
    articles = hosts_of(data.bodies, language=languages[0])[: settings.limit]
    if len(articles) < FEWEST_ARTICLES:
        given = len(hosts_of(data.bodies, language=languages[0]))
        raise _too_few(len(articles), "articles of eight sentences or more", limited=given)
    say(
        f"{len(articles)} articles, {len(data.labelled)} labelled documents; {', '.join(languages)}"
    )
    encoder = encoder or load_encoder(settings.encoder)
    remembering = RememberingEncoder(encoder)
    topic = fit_topic(
        [article.sentences for article in articles],
        remembering,
        axes=min(settings.axes, encoder.dimensions),
    )
    say("topic model")
    # Whatever their own source is called, none of them counts as one that was made here.
    labelled = [replace(document, source="labelled") for document in data.labelled]
    documents = [*_made(articles, languages[0]), *labelled]
    examples = prepare(documents, remembering, language=languages[0])
    say(f"{len(examples)} documents, {sum(len(e.labels) for e in examples)} fragments")
    frequency = inverse_document_frequency([article.lines for article in data.bodies])
    fitted = fit(examples, topic, frequency, trees=settings.trees, say=say)
    return Trained(
        fitted,
        encoder,
        languages,
        figures_by(examples, fitted.scores, settings.threshold, lambda document: document.source),
        dict(sorted(Counter(example.document.source for example in examples).items())),
    )


def _made(articles: Sequence[Host], language: str) -> list[Labelled]:
    """Documents with intruders in them, and digests, made from `articles`."""
    # The leads of headlines are English; elsewhere a headline stands by itself.
    leads = None if language == "en" else ("{}",)
    folds = by_fold(articles)
    return [
        *intruders(folds, 1),
        *intruders(folds, 2),
        *headlined(folds, 3, leads=leads),
        *digests(folds, round(_DIGESTS * len(articles))),
    ]


def write(trained: Trained, settings: TrainSettings, output: Path, *, data: Sequence[str]) -> None:
    """Write the detector's folder: whole, or not at all.

    A static encoder is small: it goes along, and the folder is all that is needed. Any other is
    named, by its way from the folder where it is a folder itself.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    with whole_folder(output) as folder:
        manifest = {
            "encoder": _encoder_beside(settings.encoder, folder, output),
            "languages": list(trained.languages),
            "made_by": "cleaner train",
            "data": sorted({Path(name).name for name in data}),
            "documents": trained.documents,
            f"held_out_figures_at_{settings.threshold:g}": {
                kind: row.to_dict() for kind, row in trained.figures.items()
            },
        }
        save(
            trained.fitted,
            folder,
            manifest,
            threshold=settings.threshold,
            encoder=trained.encoder,
        )


def _encoder_beside(name: str, folder: Path, output: Path) -> str:
    source = Path(name)
    if name in SHIPPED or not source.is_dir():
        return name
    if is_static(source):
        shutil.copytree(source, folder / "encoder")
        return "encoder"
    return os.path.relpath(source.resolve(), output.resolve())
