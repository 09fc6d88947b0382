"""One sentence by whose vector an encoder is known again, whatever it is called."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from cleaner.encoders import Encoder, Vectors

PROBE = "probe.npy"  # the file in the folder of what was made with the encoder
_TEXT = "The committee meets in Geneva on Monday to discuss the price of wheat."
_SAME = 0.15  # between unit vectors: half precision moves them by a hundredth


def write_probe(encoder: Encoder, folder: Path) -> None:
    """Keep in `folder` where `encoder` puts the sentence."""
    np.save(folder / PROBE, encoder.encode([_TEXT])[0])


def read_probe(folder: Path) -> Vectors | None:
    """Where the encoder put the sentence, shape (dimensions,); None where that was not kept.

    Raises
    ------
    ValueError, OSError
        If the file is damaged.
    """
    path = folder / PROBE
    if not path.exists():
        return None
    vector: Vectors = np.load(path, allow_pickle=False)
    return vector


def is_same(encoder: Encoder, probe: Vectors) -> bool:
    """Whether `encoder` puts the sentence at `probe`: never one whose vector is not finite."""
    found = encoder.encode([_TEXT])[0]
    return found.shape == probe.shape and bool(np.linalg.norm(found - probe) <= _SAME)
