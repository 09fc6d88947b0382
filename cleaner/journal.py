"""What a run has done so far, kept beside its output, so that another can go on from there.

A journal holds the outcomes of whole blocks, in order. A run that goes on reads its sources again
from the beginning, and takes from the journal what became of each block instead of judging it, if
the block is the very one that was judged. So its output is written anew, byte for byte as an
unbroken run writes it, whatever its format: compressed and columnar files cannot be continued.

The last block on record may be another now, and is judged anew then: a source that was cut off made
it short, and is whole the next time.

The file is a row of frames: length (4 bytes), a BLAKE2b digest (8 bytes), and that many bytes of
zstd. A frame that was being written when the run was killed does not fit its digest, and ends the
journal. Nothing in it is code.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import fields
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, Self

from cleaner.errors import InputError, OptionError, OutputError
from cleaner.formats.encoding import dump_json, shown
from cleaner.formats.sinks import cannot_write, hidden_beside, is_named, lock
from cleaner.tally import Tally
from cleaner.work import Block, Outcome, Part

if TYPE_CHECKING:
    from cleaner.blocks import Blocks
    from cleaner.work import Answer

_HEAD = struct.Struct("<I8s")
_SIZE = struct.Struct("<I")
_IDENTITY, _BLOCK = b"I", b"B"
_FOLDER_NAME = ".cleaner.journal"
# What an identity is told by, where it is not the option of the same name.
_NAMED = {
    "version": "the version of cleaner",
    "digest_of_the_model": "the model",
    "target": "--output-format",
    "mixed": "whether inputs are of several formats",
    "account": "whether there is a file for --removed",
    "explain": "whether there is --explain",
    "exclude": "--not",
}
_LEVEL = 1  # of zstd: a journal is written more often than it is read


def journal_path(output: str, *, is_folder: bool) -> Path:
    """Where the journal of a run with that output lies."""
    path = Path(os.path.realpath(output))
    return path / _FOLDER_NAME if is_folder else hidden_beside(path, "journal")


class Journal:
    """The journal of one run.

    While it lasts no other run can use it. It is gone when the run ends well; when it ends
    otherwise, it stays if it holds anything.

    Parameters
    ----------
    path
        The file.
    output
        What it is the journal of, for messages.
    identity
        What decides the outcome besides the input: options, the model's digest. Names to JSON
        values.
    resume
        Whether to go on with what the file holds; else it is begun anew.
    log
        Takes lines for people: that the run begins anew, or can be gone on with.

    Raises
    ------
    OptionError
        If `resume` is asked for and the journal is of a run with another identity.
    OutputError
        If it cannot be written, or another run is using it.
    """

    def __init__(
        self,
        path: Path,
        identity: Mapping[str, Any],
        *,
        output: str,
        resume: bool,
        log: Callable[[str], object],
    ) -> None:
        import zstandard

        self._path = path
        self._output = output
        self._identity = json.loads(dump_json(dict(identity)))
        self._resume = resume
        self._log = log
        self._pack = zstandard.ZstdCompressor(level=_LEVEL).compress
        self._unpack = zstandard.ZstdDecompressor().decompress
        self._stream: BinaryIO | None = None
        self._whole = 0  # bytes of whole frames
        self._last = 0  # where the last of them begins that holds a block
        self._holds_blocks = False
        self._is_refused = False  # what it holds is not of these inputs

    def __enter__(self) -> Self:
        with self._errors():
            if self._path.name == _FOLDER_NAME:
                self._path.parent.mkdir(parents=True, exist_ok=True)
            stream = self._path.open("a+b")
            if not lock(stream) or not is_named(stream, self._path):
                stream.close()
                raise OutputError(
                    "another run is writing there",
                    place=self._output,
                    next_step="wait for its end",
                )
            self._stream = stream
            try:
                before = self._go_on(stream) if self._resume else self._begin_anew(stream)
                if before != self._identity:
                    self._append(self._frame_of_identity())
            except BaseException:
                stream.close()
                raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if kind is None or not self._holds_blocks:
            with suppress(OSError):
                self._path.unlink()
        elif not self._is_refused:
            self._log("What is done is kept: the same command with --resume goes on from there.")
        if self._stream is not None:
            with suppress(OSError):
                self._stream.close()

    def replay(self, blocks: Blocks) -> Iterator[Answer]:
        """The outcomes that the journal holds, each with its block, which is taken from `blocks`.

        Raises
        ------
        InputError
            If a block before the last is not the one that was judged.
        """
        for number, (at, digest, outcomes) in enumerate(self._recorded()):
            try:
                block = next(blocks)
            except StopIteration:
                raise self._changed("the inputs", "are") from None
            if _digest(block) == digest:
                yield block, outcomes
            elif at == self._last:
                blocks.give_back(block)
                self._cut_off(at)
                self._holds_blocks = number > 0
                return
            else:
                name = block.parts[0].name if block.parts else ""
                raise self._changed(shown(name), "is")

    def record(self, block: Block, outcomes: tuple[Outcome, ...]) -> None:
        """Add the outcomes of a block; one with an error that ends the run is not whole."""
        if any(outcome.error is not None for outcome in outcomes):
            return
        self._append(_BLOCK + _digest(block) + _dumped(outcomes))
        self._holds_blocks = True

    # --- frames ----------------------------------------------------------------------------------

    def _go_on(self, stream: BinaryIO) -> dict[str, Any] | None:
        """The identity of the run to go on with; None where there is none."""
        before: dict[str, Any] | None = None
        for at, body in self._frames():
            if body[:1] == _IDENTITY:
                before = json.loads(body[1:])
            else:
                self._holds_blocks = True
                self._last = at
        stream.truncate(self._whole)
        if before is not None:
            self._compare(before)
        if not self._holds_blocks:
            self._log("There is nothing to go on with: the run begins anew.")
        return before

    def _begin_anew(self, stream: BinaryIO) -> None:
        """Throw away what an earlier run has left; say so where it could be gone on with."""
        first = [body for _, body in islice(self._frames(), 2)]
        if len(first) > 1 and first[0] == self._frame_of_identity():
            self._log(
                "The run begins anew. An earlier one with the same options was ended: --resume goes"
                " on from there, if the inputs are the same."
            )
        stream.truncate(0)

    def _frame_of_identity(self) -> bytes:
        return _IDENTITY + dump_json(self._identity)

    def _compare(self, before: Mapping[str, Any]) -> None:
        for name, now in self._identity.items():
            was = before.get(name)
            # Where every record could be used, what would have been done with others is the same.
            if was == now or (name == "on_error" and was == "fail"):
                continue
            what = _NAMED.get(name, f"--{name.replace('_', '-')}")
            values = "" if "digest" in name else f" (was {was!r}, is {now!r})"
            raise OptionError(
                f"--resume: {what} is not that of the run to go on with{values}",
                place=str(self._path),
                next_step="use what it was, or run without --resume to begin anew",
            )

    def _cut_off(self, at: int) -> None:
        """Forget the last block, whose frame begins there."""
        self._log("What was read last is not what it was: it is judged anew.")
        with self._errors():
            if self._stream is not None:
                self._stream.truncate(at)
        self._append(self._frame_of_identity())  # which may have stood behind

    def _recorded(self) -> Iterator[tuple[int, bytes, tuple[Outcome, ...]]]:
        """Where the frame of each block begins, the block's digest and its outcomes."""
        for at, body in self._frames():
            if body[:1] == _BLOCK:
                yield at, body[1:17], _loaded(memoryview(body)[17:])

    def _frames(self) -> Iterator[tuple[int, bytes]]:
        """Where each frame begins, and what it holds; where one is not whole, they end."""
        at = 0
        with self._path.open("rb") as stream:
            while len(head := stream.read(_HEAD.size)) == _HEAD.size:
                length, digest = _HEAD.unpack(head)
                packed = stream.read(length)
                if len(packed) < length or _short_digest(packed) != digest:
                    break
                self._whole = max(self._whole, at + _HEAD.size + length)
                yield at, self._unpack(packed)
                at += _HEAD.size + length

    def _append(self, body: bytes) -> None:
        packed = self._pack(body)
        with self._errors():
            if self._stream is not None:
                self._stream.write(_HEAD.pack(len(packed), _short_digest(packed)) + packed)
                self._stream.flush()

    def _changed(self, what: str, verb: str) -> InputError:
        self._is_refused = True
        return InputError(
            f"{what} {verb} not what was read before: there is nothing to go on with",
            place="--resume",
            next_step="run without --resume to begin anew",
        )

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise cannot_write(self._output, error) from error


def _short_digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=8).digest()


def _digest(block: Block) -> bytes:
    """16 bytes that stand for what a block holds."""
    digest = hashlib.blake2b(digest_size=16)
    for part in block.parts:
        values = {f.name: getattr(part, f.name) for f in fields(Part) if f.name != "data"}
        digest.update(dump_json({**values, "size": len(part.data)}))
        digest.update(part.data)
    digest.update(str(block.error or "").encode("utf-8", "surrogateescape"))
    return digest.digest()


def _dumped(outcomes: tuple[Outcome, ...]) -> bytes:
    heads = [
        {
            "sizes": [len(outcome.output), len(outcome.removed)],
            "log": outcome.log,
            "changed": outcome.changed,
            "problems": outcome.problems,
            "tally": outcome.tally.to_dict(),
        }
        for outcome in outcomes
    ]
    head = dump_json(heads)
    blobs = [blob for outcome in outcomes for blob in (outcome.output, outcome.removed)]
    return b"".join([_SIZE.pack(len(head)), head, *blobs])


def _loaded(body: memoryview) -> tuple[Outcome, ...]:
    (size,) = _SIZE.unpack_from(body)
    at = _SIZE.size + size
    outcomes = []
    for head in json.loads(bytes(body[_SIZE.size : at])):
        output, removed = head["sizes"]
        outcomes.append(
            Outcome(
                output=bytes(body[at : at + output]),
                removed=bytes(body[at + output : at + output + removed]),
                log=head["log"],
                changed=head["changed"],
                tally=Tally.from_dict(head["tally"]),
                problems=head["problems"],
            )
        )
        at += output + removed
    return tuple(outcomes)


# --- identity ------------------------------------------------------------------------------------


def model_digest(options: Mapping[str, Any]) -> str:
    """What stands for the model that these parameters of `Cleaner` name: a digest of its files.

    Of an encoder from the hub it is the name alone: where its weights lie is not ours to know.
    """
    from cleaner.detector_files import model_folders  # numpy comes with it

    encoder = options.get("encoder")
    digest = hashlib.blake2b(os.fsencode(str(encoder or "")), digest_size=16)
    for folder in model_folders(encoder, options.get("model")):
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                digest.update(os.fsencode(path.relative_to(folder).as_posix()))
                with path.open("rb") as stream:
                    digest.update(hashlib.file_digest(stream, "blake2b").digest())
    return digest.hexdigest()
