"""A folder that is there whole or not at all, and the manifest in it."""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cleaner.detector_files import MANIFEST
from cleaner.errors import OptionError, OutputError


def check_folder(output: Path) -> None:
    """Refuse, before anything is fitted, a folder that cannot be written or is of something else.

    Raises
    ------
    OptionError
        If it is a file, or holds something that is no model of ours.
    OutputError
        If no folder can be made there.
    """
    with _writing(output):
        if output.exists() and (
            not output.is_dir() or (any(output.iterdir()) and not _is_ours(output))
        ):
            raise OptionError(
                "there is something that training did not make",
                place=str(output),
                next_step="name a new folder, or that of a model to be replaced",
            )
        if output.resolve() == Path.cwd():
            raise OptionError(
                "a folder that is worked in is not replaced",
                place=str(output),
                next_step="name another, or one below it",
            )
        nearest = next(folder for folder in output.absolute().parents if folder.exists())
        with TemporaryDirectory(prefix=".", dir=nearest):
            pass


def _is_ours(folder: Path) -> bool:
    try:
        return "made_by" in json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError, TypeError):
        return False


def checksums(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """The SHA-256 of each of these files of `folder`, in the order of their names."""
    return {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in sorted(names)
    }


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write ``manifest.json``, for programs and people."""
    text = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8")


@contextmanager
def whole_folder(output: Path) -> Iterator[Path]:
    """A folder to write to, which takes the place of `output` when all went well.

    Raises
    ------
    OptionError
        If there is something that training did not make.
    OutputError
        If it cannot be written.
    """
    check_folder(output)
    output = output.resolve()  # of a link what it leads to
    mark = secrets.token_hex(4)
    new, old = (output.with_name(f".{output.name}.{mark}.{kind}") for kind in ("new", "old"))
    try:
        with _writing(output):
            new.mkdir(parents=True)
            yield new
            _put_in_place(new, output, old)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _put_in_place(new: Path, output: Path, old: Path) -> None:
    """Rename `new` to `output`; what was there goes by way of `old`, and stays if that fails."""
    try:
        if output.exists():
            output.rename(old)
        new.rename(output)
    except BaseException:  # whoever interrupts keeps the model that was there
        if old.exists() and not output.exists():
            old.rename(output)
        raise
    shutil.rmtree(old, ignore_errors=True)


@contextmanager
def _writing(output: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"cannot be written ({error.strerror or error})",
            place=str(output),
            next_step="name a folder that you may write to",
        ) from error
