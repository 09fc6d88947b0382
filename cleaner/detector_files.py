"""A detector's folder: its files read and checked.

It holds arrays (``knowledge.npz``), the networks (``network.npz``, ``furniture.npz``) or the first
trees (``first.onnx``), the second trees (``second.onnx``, run by onnxruntime), the trees as arrays
for explanations (``trees.npz``), the vector of a fixed sentence (``probe.npy``: an encoder that
gives another one is refused), and a manifest. In the accurate tier each vector is two, end to end:
the transformer's, which ``member.npz`` reads (see `cleaner.member`), and the static encoder's,
which everything else reads. Nothing in it is code.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cleaner.contributions import Trees
from cleaner.encoders import MODELS, SHIPPED, detector_folder
from cleaner.errors import CleanerError, ModelError
from cleaner.evidence import Encoded, Knowledge, Observed, observe, review
from cleaner.member import Member
from cleaner.network import Network
from cleaner.segment import segment
from cleaner.topic import Floats, TopicModel
from cleaner.words import Lexicon

FORMAT = 1
MANIFEST = "manifest.json"
NETWORK_FILE = "network.npz"
FURNITURE_FILE = "furniture.npz"
MEMBER_FILE = "member.npz"


class TreeModel:
    """An ensemble of trees, run by onnxruntime.

    Parameters
    ----------
    path
        An ONNX file.
    """

    def __init__(self, path: Path) -> None:
        # Unless told not to, it reports over the network, and keeps files at home for that.
        os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
        import onnxruntime

        options = onnxruntime.SessionOptions()
        # One thread: sums keep their order, and processes do not fight over the cores.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            path.read_bytes(), options, providers=["CPUExecutionProvider"]
        )

    def log_odds(self, observed: Observed) -> Floats:
        """Log-odds before calibration, shape (n,)."""
        found = [self._session.run(None, {"evidence": rows})[0] for rows in observed.blocks()]
        return np.concatenate(found).ravel().astype(np.float64)


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a folder whose files are those that were written with it.

    Raises
    ------
    Exception
        Of many kinds, if it is missing, is of another format or does not fit its files.
    """
    manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    if manifest["format"] != FORMAT:
        raise ValueError(f"format {manifest['format']}, this version reads {FORMAT}")
    threshold = manifest["threshold"]
    languages = [] if manifest.get("languages") is None else manifest["languages"]
    if not _is_number(threshold) or not 0 <= threshold <= 1:
        raise ValueError(f"its threshold is {threshold!r}")
    if not all(map(_is_number, manifest["calibration"].values())):
        raise ValueError(f"its calibration is {manifest['calibration']!r}")
    if not isinstance(manifest["evidence"], list):
        raise TypeError("it does not list its evidence")
    if not isinstance(languages, list) or not all(isinstance(name, str) for name in languages):
        raise TypeError(f"its languages are {languages!r}")
    for name, digest in manifest.get("sha256", {}).items():
        if not (folder / name).is_file():
            raise FileNotFoundError(f"{name} is missing")
        if hashlib.sha256((folder / name).read_bytes()).hexdigest() != digest:
            raise ValueError(f"{name} is not the file that was written with the manifest")
    return manifest


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def read_knowledge(folder: Path) -> Knowledge:
    """What the detector knows beside its networks and trees."""
    with np.load(folder / "knowledge.npz", allow_pickle=False) as arrays:
        topic = TopicModel(arrays["mean"], arrays["projection"], arrays["between"])
        return Knowledge(
            topic=topic,
            frequency=arrays["frequency"].astype(np.float32),
            wording=arrays["wording"].astype(np.float32),
            wording_bias=float(arrays["wording_bias"]),
            wording_vector=arrays["wording_vector"].astype(np.float32),
        )


def read_first_pass(folder: Path) -> Network | TreeModel:
    """A network where the folder holds one, else trees."""
    return read_network(folder / NETWORK_FILE) or TreeModel(folder / "first.onnx")


def read_network(path: Path) -> Network | None:
    """The network in a file; None where there is none."""
    if not path.exists():
        return None
    with np.load(path, allow_pickle=False) as arrays:
        return Network.from_arrays(arrays)


def read_member(folder: Path, evidence: Sequence[str]) -> Member | None:
    """The network of another encoder; None where there is none.

    Raises
    ------
    ValueError
        If it was fitted on other `evidence`.
    """
    if not (folder / MEMBER_FILE).exists():
        return None
    with np.load(folder / MEMBER_FILE, allow_pickle=False) as arrays:
        member = Member.from_arrays(arrays)
    if len(member.network.mean) != evidence.index("first"):
        raise ValueError("its member was fitted on other evidence than the rest of it")
    return member


def read_trees(folder: Path, evidence: Sequence[str]) -> tuple[Trees | None, Trees]:
    """Both passes' trees as arrays; None for the first where that is a network."""
    with np.load(folder / "trees.npz", allow_pickle=False) as arrays:
        first, second = _tree_arrays(arrays, "first"), _tree_arrays(arrays, "second")
    before = Trees.of(first, evidence.index("first")) if first else None
    return before, Trees.of(second, len(evidence))


def _tree_arrays(arrays: Any, name: str) -> dict[str, npt.NDArray[Any]]:
    prefix = f"{name}_"
    return {key.removeprefix(prefix): arrays[key] for key in arrays if key.startswith(prefix)}


def check_evidence(names: Sequence[str], knowledge: Knowledge, furniture: Network | None) -> None:
    """Refuse a detector that was fitted on other evidence than this version computes."""
    vectors = np.zeros((1, len(knowledge.topic.mean)), dtype=np.float32)
    seen = observe([Encoded(segment("x"), vectors)], knowledge=knowledge, lexicon=Lexicon())
    log_odds = None if furniture is None else np.zeros(1)
    found = review(seen, np.zeros(1), log_odds, knowledge=knowledge).columns
    if list(found) != list(names):
        raise ValueError("it was fitted on other evidence than this version of cleaner computes")


def encoder_of(folder: Path, manifest: Mapping[str, Any]) -> str:
    """Name or folder of the encoder that the detector in `folder` was fitted for.

    Raises
    ------
    ModelError
        If the detector does not say.
    """
    name = manifest.get("encoder")
    if not isinstance(name, str) or not name:
        raise ModelError(
            "the detector does not say which encoder it was fitted for",
            place=str(folder),
            next_step="name it with --encoder",
        )
    beside = folder / name  # an encoder of one's own is named by its way from the detector
    return str(beside) if beside.is_dir() else name


def model_folders(encoder: str | None, model: str | Path | None) -> tuple[Path, ...]:
    """Where the detector lies that these parameters of `Cleaner` name, and where its encoder.

    An encoder from the hub has no folder: where its weights lie is not ours to know.
    """
    detector = detector_folder(encoder or "fast") if model is None else Path(model)
    if encoder is None and model is not None:
        # What cannot be read is told by whoever loads it.
        with suppress(OSError, ValueError, AttributeError, CleanerError):
            manifest = json.loads((detector / MANIFEST).read_text(encoding="utf-8"))
            encoder = encoder_of(detector, manifest)
    own = MODELS / "fast" / "encoder" if (encoder or "fast") in SHIPPED else Path(encoder or "")
    return (detector, own) if own.is_dir() else (detector,)


def manifests(encoder: str | None, model: str | Path | None) -> tuple[bytes | None, ...]:
    """The manifests in the folders of a model; None where one has none.

    They hold the checksums of the files beside them: a model that was trained anew, in the same
    folder, has others.
    """
    paths = [folder / MANIFEST for folder in model_folders(encoder, model)]
    return tuple(map(_bytes_of, paths))


def _bytes_of(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (OSError, ValueError):  # or no path at all
        return None
