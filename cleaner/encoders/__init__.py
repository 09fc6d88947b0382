"""Turn fragments into vectors: a protocol, and the encoders that keep it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

MODELS = Path(__file__).resolve().parent.parent / "models"
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


def load_encoder(name: str) -> Encoder:
    """The encoder called `name`.

    Parameters
    ----------
    name
        ``fast``, ``accurate``, the folder of a sentence-transformers model, or its name on the hub.

    Raises
    ------
    ModelError
        If there is no such model, or what it needs is not installed.
    """
    if name == "fast":
        from cleaner.encoders.static import StaticEncoder

        return StaticEncoder.load(MODELS / "fast" / "encoder", name="fast")
    from cleaner.encoders.transformer import TransformerEncoder

    if name == "accurate":
        from cleaner.encoders.joint import JointEncoder

        parts = (TransformerEncoder.accurate(), load_encoder("fast"))
        return JointEncoder(parts, name="accurate")
    folder = Path(name)
    if folder.is_dir():
        from cleaner.encoders.static import StaticEncoder, is_static

        if is_static(folder):
            return StaticEncoder.load(folder, name=name)
    return TransformerEncoder.load(name)
