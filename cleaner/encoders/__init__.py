"""Turn fragments into vectors: a protocol, and the encoders that keep it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from cleaner.errors import ModelError

MODELS = Path(__file__).resolve().parent.parent / "models"
SHIPPED = ("fast", "accurate")  # what a detector ships for
Vectors = npt.NDArray[np.float32]


@runtime_checkable
class Encoder(Protocol):
    """Anything that gives a text a vector."""

    @property
    def name(self) -> str:
        """What the encoder is called, for messages."""

    @property
    def dimensions(self) -> int:
        """Length of a vector."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Vectors of `texts`: float32, shape (len(texts), dimensions), unit length or zero."""

    def encode_documents(self, documents: Sequence[Sequence[str]]) -> list[Vectors]:
        """Vectors of each document's texts, the same to the last bit as of that document alone."""


def detector_folder(name: str | None) -> Path:
    """Where the detector is that ships for the encoder called `name`.

    Raises
    ------
    ModelError
        If none does, or `name` is a path and nothing is there.
    """
    _check_path(name or "")
    shipped = _shipped(name or "")
    if not shipped:
        weights = ", whose weights are not those of accurate" if Path(name or "").is_dir() else ""
        raise ModelError(
            f"no detector has been fitted for the encoder {name!r}{weights}",
            next_step="use fast, accurate or the folder of its weights, or give the folder of a"
            " detector that was fitted for it: --model, or model in Python",
        )
    return MODELS / shipped / "detector"


def _check_path(name: str) -> None:
    """Refuse the path of an encoder where nothing is; OWNER/NAME may be a model on the hub."""
    is_path = name.startswith((".", "/", "~")) or name.count("/") > 1 or name.endswith("/")
    if is_path and not os.path.lexists(name):
        raise ModelError(
            "there is no such encoder",
            place=name,
            next_step="check the path, or use fast or accurate",
        )


def _shipped(name: str) -> str:
    """Which of `SHIPPED` the encoder called `name` is, by its weights where that is a folder."""
    if name in SHIPPED:
        return name
    from cleaner.encoders.transformer import is_accurate

    return "accurate" if name and is_accurate(Path(name)) else ""


def load_encoder(name: str, *, is_shipped: bool = False) -> Encoder:
    """The encoder called `name`.

    Parameters
    ----------
    name
        ``fast``, ``accurate``, the folder of a sentence-transformers model, or its name on the hub.
    is_shipped
        Whether it is for a detector that ships: a folder of the weights that ``accurate`` has is
        then ``accurate``, and not the bare model.

    Raises
    ------
    ModelError
        If there is no such model, or what it needs is not installed.
    """
    _check_path(name)
    if name == "fast":
        from cleaner.encoders.static import StaticEncoder

        return StaticEncoder.load(MODELS / "fast" / "encoder", name="fast")
    from cleaner.encoders.transformer import TransformerEncoder

    if name == "accurate" or (is_shipped and _shipped(name) == "accurate"):
        from cleaner.encoders.joint import JointEncoder

        weights = None if name == "accurate" else Path(name)
        parts = (TransformerEncoder.accurate(weights), load_encoder("fast"))
        return JointEncoder(parts, name="accurate")
    folder = Path(name)
    if folder.is_dir():
        from cleaner.encoders.static import StaticEncoder, is_static

        if is_static(folder):
            return StaticEncoder.load(folder, name=name)
    return TransformerEncoder.load(name)
