"""Runs over many documents: all formats, all cores, and what breaks on the way."""

import bz2
import contextlib
import gzip
import json
import lzma
import os
import re
import resource
import signal
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path
from queue import SimpleQueue

import pytest
import zstandard
from click.testing import CliRunner
from inputs import NAMED

from cleaner import InputError
from cleaner.cli import main
from cleaner.filtering import answers_here, make_filter
from cleaner.formats import source
from cleaner.outputs import Apart
from cleaner.work import Part
from cleaner.workers import WorkerError, _listen, _serve

ROOT = Path(__file__).parent.parent
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
DROP = ["--drop", "JUNK", "--only", "pattern"]  # whatever the model thinks of the rest
TEXT = "Good line {}.\nJUNK line.\nGood again.\n"
LEFT = "Good line {}.\nGood again.\n"
# Half a minute of work in one fragment after the other: time enough to be killed in.
SLOW = "The bridge will be closed on day {0}, the council said. " * 60_000

linux = pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")


def heed_hang_ups():
    """Tests that were themselves started not to end by one would hand that on."""
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


def start(*arguments, **options):
    whole = [sys.executable, "-m", "cleaner", *map(str, arguments)]
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    options["preexec_fn"] = heed_hang_ups
    return subprocess.Popen(whole, env=ENVIRONMENT, **options)


def process(*arguments, stdin=None):
    """A run in a process of its own."""
    with start(*arguments, stdin=subprocess.PIPE) as started:
        out, err = started.communicate(stdin or b"", timeout=240)
    return started.returncode, out, err.decode()


def run(*arguments, stdin=None):
    """A run in this process; never with workers."""
    made = CliRunner().invoke(main, [str(item) for item in arguments], input=stdin)
    if made.exception is not None and not isinstance(made.exception, SystemExit):
        raise made.exception
    return made.exit_code, made.stdout_bytes, made.stderr


def done(*arguments, stdin=None, how=run):
    status, out, err = how(*arguments, stdin=stdin)
    assert status == 0, err
    return out


def failed(made, *parts, status=1):
    found, _, err = made
    assert found == status, err
    assert "Traceback" not in err
    for part in parts:
        assert part in err
    return err


def jsonl(*texts):
    return b"".join(
        json.dumps({"id": n, "text": text, "n": 1.0}).encode() + b"\n"
        for n, text in enumerate(texts)
    )


def numbered(count, pattern=TEXT):
    return jsonl(*(pattern.format(n) for n in range(count)))


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def contents(folder):
    return {name: (folder / name).read_bytes() for name in names(folder)}


@pytest.fixture
def tree(tmp_path):
    """A folder of files of every kind."""
    folder = tmp_path / "corpus"
    (folder / "a" / "b").mkdir(parents=True)
    (folder / "one.txt").write_text(TEXT.format(1))
    (folder / "a" / "two.txt.gz").write_bytes(gzip.compress(TEXT.format(2).encode()))
    (folder / "a" / "b" / "three.txt").write_text(TEXT.format(3))
    (folder / "a" / "many.jsonl").write_bytes(numbered(50))
    (folder / "a" / "many.jsonl.zst").write_bytes(zstandard.compress(numbered(40)))
    (folder / "empty.jsonl").write_bytes(b"")
    (folder / "picture.png").write_bytes(b"\x89PNG")
    (folder / ".hidden.txt").write_text(TEXT.format(4))
    return folder


# --- formats -------------------------------------------------------------------------------------


@pytest.mark.usefixtures("marked")
def test_a_folder_is_mirrored(tree, tmp_path):
    out = tmp_path / "out"
    _, _, shown = run(tree, "-o", out)
    assert shown.startswith("93 documents, 93 changed, 0 not judged; 0 errors; ")
    assert "removed: 93 fragments, 1,023 of " in shown
    assert names(out) == [
        "a/b/three.txt", "a/many.jsonl", "a/many.jsonl.zst", "a/two.txt.gz", "empty.jsonl",
        "one.txt",
    ]  # fmt: skip
    assert (out / "a/b/three.txt").read_text() == LEFT.format(3)
    assert gzip.decompress((out / "a/two.txt.gz").read_bytes()).decode() == LEFT.format(2)
    assert (out / "a/many.jsonl").read_bytes() == numbered(50, LEFT)
    with zstandard.ZstdDecompressor().stream_reader((out / "a/many.jsonl.zst").open("rb")) as file:
        assert file.read() == numbered(40, LEFT)


@pytest.mark.usefixtures("marked")
def test_a_pattern_is_mirrored_from_where_it_begins_to_be_one(tree, tmp_path):
    out = tmp_path / "out"
    done(f"{tree}/**/*.txt", "-o", out)
    assert names(out) == ["a/b/three.txt", "one.txt"]
    failed(run(f"{tree}/*.csv", "-o", out), "no file matches; check the pattern")


@pytest.mark.usefixtures("marked")
def test_a_pattern_takes_what_a_folder_takes(tree, tmp_path):
    """What is no text, JSONL or Parquet by its name is passed over, unless --format says what."""
    out = tmp_path / "out"
    (tree / "packed.parquet.gz").write_bytes(b"\x1f\x8b")
    (tree / "notes").write_text(TEXT.format(5))
    done(f"{tree}/*", "-o", out)
    assert names(out) == ["empty.jsonl", "one.txt"]
    failed(run(f"{tree}/*.gz", "-o", out), "no file of a known kind matches; say with --format")
    done(f"{tree}/n*", "-o", out, "--format", "text")
    assert (out / "notes").read_text() == LEFT.format(5)


@pytest.mark.usefixtures("marked")
def test_one_file_has_one_name_however_it_is_spelled(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("a.jsonl").write_bytes(numbered(1))
    for name in ("a.jsonl", "./a.jsonl", ".//./a.jsonl"):
        done(name, "--removed", "gone")
        assert json.loads(Path("gone").read_bytes())["path"] == "a.jsonl"
    Path("-").write_text(TEXT.format(1))  # which only its folder tells from standard input
    assert done("./-", "--format", "text").decode() == LEFT.format(1)


@pytest.mark.usefixtures("marked")
@pytest.mark.parametrize(
    ("data", "what"),
    [
        (gzip.compress(TEXT.encode()), "gzip"),
        (zstandard.compress(TEXT.encode()), "zstd"),
        (b"PAR1\x15\x04\x15", "Parquet"),
        (b"\x89PNG\r\n\x1a\n\0\0", "a PNG picture"),
        (bz2.compress(TEXT.encode()), "bzip2"),
        (lzma.compress(TEXT.encode()), "xz"),
        (b"notes.txt".ljust(257, b"\0") + b"ustar\0", "a tar archive"),
        (b"7z\xbc\xaf\x27\x1c\0\4", "a 7z archive"),
        (b"GIF89a\1\0\1\0", "a GIF picture"),
        (b"RIFF\x24\0\0\0WEBPVP8 ", "a WebP picture"),
        (b"ARROW1\0\0", "Arrow"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0", "a file of an old office program"),
        (b'{"text": "An article."}\n', "JSON"),
        (b'[\n  {"text": "An article."}\n]\n', "JSON"),
    ],
)
def test_what_does_not_look_like_text_is_not_cleaned_as_text(tmp_path, data, what):
    """A few bytes fewer would be the end of it."""
    path, out = tmp_path / "data.bin", tmp_path / "out"
    path.write_bytes(data)
    message = f"looks like {what}, not like text; say with --format what it is"
    failed(run(path, "-i"), f"{path}: {message}")
    failed(run(stdin=data), f"standard input: {message}")
    assert path.read_bytes() == data
    (tmp_path / "a.txt").write_text(TEXT.format(1))
    out.mkdir()
    done(path, tmp_path / "a.txt", "-o", out, "--on-error", "keep")
    assert contents(out) == {"a.txt": LEFT.format(1).encode(), "data.bin": data}
    assert done(path, "--format", "text").startswith(data[:4])  # who says so is believed


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_is_not_cleaned_as_utf_8(encoding):
    data = ("\ufeff" + TEXT.format(1)).encode(encoding)
    failed(run(stdin=data), "standard input: looks like UTF-16, not like UTF-8; convert it, or say")


@pytest.mark.usefixtures("marked")
def test_named_files_go_to_a_folder_that_is_there(tree, tmp_path):
    (tmp_path / "out").mkdir()
    done(tree / "one.txt", tree / "a" / "two.txt.gz", "-o", tmp_path / "out")
    assert names(tmp_path / "out") == ["one.txt", "two.txt.gz"]


@pytest.mark.usefixtures("marked")
def test_a_folder_into_one_file(tree, tmp_path):
    out = tmp_path / "all.jsonl.gz"
    done(tree, "-o", out)
    records = [json.loads(line) for line in gzip.decompress(out.read_bytes()).splitlines()]
    assert len(records) == 93
    assert records[-1] == {"id": str(tree / "one.txt"), "text": LEFT.format(1)}


@pytest.mark.usefixtures("marked")
def test_a_folder_in_place(tree):
    (tree / "empty.jsonl").chmod(0o600)
    done(tree, "-i")
    assert gzip.decompress((tree / "a/two.txt.gz").read_bytes()).decode() == LEFT.format(2)
    assert (tree / "a/many.jsonl").read_bytes() == numbered(50, LEFT)
    assert (tree / ".hidden.txt").read_text() == TEXT.format(4)
    before = contents(tree)
    done(tree, "-i")
    assert contents(tree) == before


@pytest.mark.usefixtures("marked")
@pytest.mark.parametrize(
    ("kind", "pack", "unpack"),
    [
        ("text.gz", gzip.compress, gzip.decompress),
        (
            "text.zst",
            zstandard.compress,
            lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data),
        ),
    ],
)
@pytest.mark.parametrize("name", ["data.bin", "data.txt.gz"])
def test_what_was_packed_without_a_suffix_that_says_so_stays_packed(
    tmp_path, kind, pack, unpack, name
):
    path = tmp_path / name
    path.write_bytes(pack(TEXT.format(1).encode()))
    done(path, "--format", kind, "-o", f"{tmp_path}/out/")
    done(path, "--format", kind, "-i")
    for written in (path, tmp_path / "out" / name):
        assert unpack(written.read_bytes()).decode() == LEFT.format(1)


@pytest.mark.usefixtures("marked")
def test_a_folder_is_checked(tree):
    shown = failed(run(tree, "--check"))
    assert shown.count("1 fragment would be removed") == 93
    failed(run(tree), f"{tree}: is a directory; name a folder")


@pytest.mark.usefixtures("marked")
@pytest.mark.parametrize("suffix", ["", ".gz", ".zst"])
def test_compression_by_suffix_and_by_option(tmp_path, suffix):
    path, back = tmp_path / f"a.jsonl{suffix}", tmp_path / "b.jsonl"
    done("--format", "jsonl", "-o", path, stdin=numbered(30))
    done(path, "-o", back)
    assert back.read_bytes() == numbered(30, LEFT)
    kind = "jsonl" + suffix
    packed = done("--format", "jsonl", "--output-format", kind, stdin=numbered(30))
    assert done("--format", kind, stdin=packed) == numbered(30, LEFT)


@pytest.mark.usefixtures("marked")
def test_members_one_after_the_other_are_one_stream(tmp_path):
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(numbered(10)) + gzip.compress(numbered(5)))
    assert done(path) == numbered(10, LEFT) + numbered(5, LEFT)


@pytest.mark.usefixtures("marked")
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-o", "corpus"], "over itself"),
        (["-o", "corpus/out"], "lies within the input"),
        (["-o", "out.txt", "--output-format", "text"], "cannot become text"),
        (["-o", "out", "--output-format", "jsonl"], "two inputs would be written to"),
        (["-o", "out/", "--title", "T"], "do not go together"),
        (["-i", "--resume"], "do not go together"),
        (["-i", "--output-format", "jsonl"], "do not go together"),
        (["-o", "mixed.txt"], "corpus/a/many.jsonl cannot become text"),
        (["-i", "--removed", "corpus/gone.jsonl"], "gone.jsonl is an input of the same run"),
        (["-o", "all.jsonl", "--output-format", "jsonl.gz"], "end the name with .jsonl.gz"),
        (["-o", "all.jsonl.gz", "--output-format", "jsonl.zst"], "end the name with .jsonl.zst"),
        (["-o", "all.txt", "--output-format", "jsonl"], "end the name with .jsonl"),
        (["-o", "all.parquet.gz"], "Parquet compresses its own columns"),
        (["-o", "out/", "--removed", "out/one.txt"], "out/one.txt is where corpus/one.txt would"),
        (["-o", "all.jsonl", "--on-error", "keep"], "do not go together"),
    ],
)
def test_what_is_refused_before_anything_is_written(tree, tmp_path, monkeypatch, options, message):
    monkeypatch.chdir(tmp_path)
    (tree / "a" / "many.ndjson").write_bytes(numbered(1))
    before = contents(tmp_path)
    failed(run("corpus", *options), message, status=2)
    assert contents(tmp_path) == before


@pytest.mark.usefixtures("marked")
def test_the_suffix_says_the_compression_and_the_option_the_format(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(numbered(3))
    for name in ("out.jsonl.gz", "out.gz"):
        done(path, "-o", tmp_path / name, "--output-format", "jsonl")
        assert gzip.decompress((tmp_path / name).read_bytes()) == numbered(3, LEFT)
    failed(run(path, "-o", tmp_path / "out.txt"), "a.jsonl cannot become text", status=2)
    done(path, "--diff", "-o", tmp_path / "diff.txt")
    made = run(path, "-o", tmp_path / "out.zst", "--output-format", "parquet")
    failed(made, "do not go together; end the name with .parquet", status=2)
    (tmp_path / "a.txt").write_text(TEXT.format(1))
    made = run(path, tmp_path / "a.txt", "-o", tmp_path / "mixed")
    failed(made, "jsonl and text do not go into one file as they are", status=2)


@pytest.mark.usefixtures("marked")
def test_an_output_below_the_root_of_a_pattern(tmp_path, monkeypatch):
    """Only what matches at any depth would read its own output the next time."""
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()
    Path("in/a.txt").write_text(TEXT.format(1))
    failed(run("in/**/*.txt", "-o", "in/out"), "in/out lies within the input", status=2)
    failed(run("**/*.txt", "-o", "out"), "lies within the input **/*.txt", status=2)
    for _ in range(2):
        done("in/*", "-o", "in/out")
    assert names(Path("in")) == ["a.txt", "out/a.txt"]


@pytest.mark.usefixtures("marked")
def test_a_folder_on_standard_output(tree):
    lines = done(tree, "--output-format", "jsonl").splitlines()
    assert len([json.loads(line) for line in lines]) == 93


@pytest.mark.usefixtures("marked")
def test_records_of_two_files_never_share_a_line(tmp_path):
    one, two, out = (tmp_path / f"{name}.jsonl" for name in ("1", "2", "out"))
    one.write_bytes(numbered(2).rstrip())
    two.write_bytes(numbered(1))
    assert done(one, two) == numbered(2, LEFT) + numbered(1, LEFT)
    done(two, one, one, "-o", out)
    assert out.read_bytes() == numbered(1, LEFT) + (numbered(2, LEFT) * 2).rstrip()


@pytest.mark.usefixtures("marked")
def test_texts_of_two_files_never_share_a_line(tmp_path):
    one, two, empty, out = (tmp_path / f"{name}.txt" for name in ("1", "2", "3", "out"))
    one.write_bytes(b"Good.\nThe end.")
    two.write_bytes(b"A beginning.\n")
    empty.write_bytes(b"")
    assert done(one, empty, two, two, one) == (
        b"Good.\nThe end.\nA beginning.\nA beginning.\nGood.\nThe end."
    )
    done(one, one, "-o", out)
    assert out.read_bytes() == b"Good.\nThe end.\nGood.\nThe end."


@pytest.mark.usefixtures("marked")
def test_a_diff_of_half_a_code_point(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"text": f"\ud800\n{TEXT.format(1)}"}))
    shown = done("--diff", path).decode()
    assert " \ufffd\n" in shown
    assert "-JUNK line.\n" in shown


def test_outputs_that_are_pipes_below_dev(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(numbered(3))
    gone, taken = os.pipe()
    arguments = ["--drop", "JUNK", path, "-o", "/dev/stdout", "--removed", f"/dev/fd/{taken}"]
    with start(*arguments, pass_fds=[taken]) as started:
        os.close(taken)
        out, err = started.communicate(timeout=60)
    with os.fdopen(gone, "rb") as accounts:
        assert len(accounts.read().splitlines()) == 3
    assert (started.returncode, out.count(b"\n")) == (0, 3), err


def test_what_is_open_already_is_not_replaced(tmp_path):
    """Standard output may be a file that others write to as well."""
    path, whole = tmp_path / "a.txt", tmp_path / "whole.txt"
    path.write_text(TEXT.format(1))
    with whole.open("wb") as stream:
        stream.write(b"Before.\n")
        stream.flush()
        with start("-q", "--drop", "JUNK", path, "-o", "/dev/stdout", stdout=stream) as started:
            assert started.wait(60) == 0
        stream.seek(0, os.SEEK_END)
        stream.write(b"Behind.\n")
    assert whole.read_text() == "Before.\n" + LEFT.format(1) + "Behind.\n"


@pytest.mark.usefixtures("marked")
@pytest.mark.parametrize(
    "inputs", [["in", "out/sub/b.txt"], ["in", "out/sub"], ["out/sub/*.txt", "in"], ["link", "in"]]
)
def test_an_output_that_is_another_input(tmp_path, monkeypatch, inputs):
    monkeypatch.chdir(tmp_path)
    for name in ("in/sub/b.txt", "out/sub/b.txt"):
        Path(name).parent.mkdir(parents=True)
        Path(name).write_text(name)
    Path("link").symlink_to("out/sub")
    refused = run(*inputs, "-o", "out")
    failed(refused, "b.txt, an input of the same run; name another folder", status=2)
    assert Path("out/sub/b.txt").read_text() == "out/sub/b.txt"


@pytest.mark.usefixtures("marked")
def test_two_outputs_that_a_link_makes_one(tree, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "a.txt").symlink_to("b.txt")
    for name in ("a.txt", "b.txt"):
        (tree / name).write_text(TEXT.format(1))
    failed(run(tree, "-o", out), f"two inputs would be written to {out / 'b.txt'}", status=2)


@pytest.mark.usefixtures("marked")
@pytest.mark.parametrize("option", ["-o", "--removed", "--stats"])
def test_an_output_that_is_write_protected(tmp_path, monkeypatch, option):
    path, out = tmp_path / "a.jsonl", tmp_path / "out"
    path.write_bytes(numbered(1))
    out.write_text("precious")
    # Root may write everywhere, so that permissions alone would not do.
    monkeypatch.setattr(os, "access", lambda path, _mode: Path(path) != out)
    failed(run(path, option, out), f"{out}: cannot be written (Permission denied); check the perm")
    assert out.read_text() == "precious"


@pytest.mark.usefixtures("marked")
def test_a_write_protected_file_in_the_output_folder(tmp_path, monkeypatch):
    path, out = tmp_path / "a.txt", tmp_path / "out"
    path.write_text(TEXT.format(1))
    out.mkdir()
    (out / "a.txt").write_text("precious")
    monkeypatch.setattr(os, "access", lambda path, _mode: Path(path) != out / "a.txt")
    failed(run(path, "-o", out), f"{out / 'a.txt'}: is write-protected; check its permissions")
    assert (out / "a.txt").read_text() == "precious"


@pytest.mark.usefixtures("marked")
def test_a_pattern_that_leads_out_of_the_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a/s/y.txt", "x/y.txt"):
        Path(name).parent.mkdir(parents=True)
        Path(name).write_text(TEXT.format(1))
    refused = run("a/*/../../x/*.txt", "-o", "out")
    failed(refused, 'would be written outside of --output out; name it without ".."', status=2)
    assert Path("x/y.txt").read_text() == TEXT.format(1)


@pytest.mark.usefixtures("marked")
def test_a_file_is_changed_in_place_once(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(numbered(2))
    failed(run("-i", path, path), "is among the inputs twice; name it once", status=2)
    assert path.read_bytes() == numbered(2)


@pytest.mark.usefixtures("marked")
def test_a_diff_of_many_files_is_one(tmp_path):
    folder, out = tmp_path / "in", tmp_path / "changes.diff"
    folder.mkdir()
    for name in ("a.txt", "b.jsonl"):
        (folder / name).write_bytes(numbered(1) if name.endswith("l") else TEXT.encode())
    done(folder, "--diff", "-o", out)
    assert out.read_text().count("--- ") == 2
    failed(run(folder, "--diff", "-o", f"{tmp_path}/d/"), "do not go together", status=2)


@pytest.mark.usefixtures("marked")
def test_a_record_that_is_left_out_is_nothing_that_would_be_removed(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"text": "Short."}\n{"text": null}\n')
    for choice in ("skip", "keep"):
        assert run("--check", "--on-error", choice, path)[0] == 0


@pytest.mark.usefixtures("marked")
def test_an_output_without_a_name(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text(TEXT.format(1))
    failed(run(path, "-o", ""), "--output is empty; name a file or a folder", status=2)


@pytest.mark.usefixtures("marked")
def test_an_output_beside_the_input(tmp_path, monkeypatch):
    """Under other names: the next run would read it too."""
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()
    Path("in/a.jsonl").write_bytes(numbered(1))
    refused = run("in", "-o", "in", "--output-format", "jsonl.zst")
    failed(refused, "--output in lies within the input in", status=2)
    failed(run("in", "-o", "in"), "would write in/a.jsonl over itself; use --in-place", status=2)
    assert names(Path("in")) == ["a.jsonl"]


@pytest.mark.usefixtures("marked")
def test_a_pattern_follows_no_link_to_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("in/deep/a.jsonl", "other/b.jsonl"):
        Path(name).parent.mkdir(parents=True)
        Path(name).write_bytes(numbered(1))
    Path("in/loop").symlink_to(".")
    Path("in/deep/link").symlink_to("../../other")
    done("in/**/*.jsonl", "-o", "all.jsonl")
    assert Path("all.jsonl").read_bytes() == numbered(1, LEFT)
    for named in ("in/deep/link/*.jsonl", "in/*/link/b.jsonl"):  # what is named is meant
        done(named, "-o", "named.jsonl")
        assert Path("named.jsonl").read_bytes() == numbered(1, LEFT)


@pytest.mark.usefixtures("marked")
def test_a_folder_without_documents(tmp_path):
    (tmp_path / "picture.png").write_bytes(b"\x89PNG")
    made = run(tmp_path, "-o", tmp_path / "out.jsonl")
    failed(made, f"{tmp_path}: no file of a known kind; say with --format")
    assert names(tmp_path) == ["picture.png"]


@pytest.mark.usefixtures("marked")
@pytest.mark.parametrize(
    ("leads_to", "reason"),
    [("link.txt", "cannot be read (Too many"), ("no.txt", "is a link to no")],
)
def test_a_link_that_leads_nowhere_is_told(tree, tmp_path, leads_to, reason):
    link = tree / "link.txt"
    link.symlink_to(leads_to)
    for named in (tree, f"{tree}/*.txt"):
        failed(run(named, "-o", tmp_path / "out"), f"{link}: {reason}")
        _, _, shown = run(named, "-o", tmp_path / "out", "--on-error", "skip")
        assert f"{link}: {reason}" in shown
        assert "link.txt" not in names(tmp_path / "out")


@pytest.mark.parametrize(
    "options",
    [
        ["-o", "a.jsonl"],
        ["--removed", "a.jsonl"],
        ["--stats", "a.jsonl"],
        ["--format", "jsonl"],
    ],
)
def test_what_standard_input_was_led_from_is_not_written_over(tmp_path, monkeypatch, options):
    monkeypatch.chdir(tmp_path)
    path = Path("a.jsonl")
    path.write_bytes(numbered(3))
    with path.open("rb") as stdin, path.open("ab") as stdout:
        made = start(*options, "-", stdin=stdin, stdout=stdout if "--format" in options else None)
        with made:
            _, err = made.communicate(timeout=60)
    assert made.returncode == 2
    assert "an input of the same run; use" in err.decode()
    assert path.read_bytes() == numbered(3)


@pytest.mark.usefixtures("marked")
def test_the_diffs_of_a_folder(tree):
    status, out, _ = run(tree, "--diff")
    assert status == 0
    assert out.count(b"\n+++ ") == 3 + 50 + 40


@pytest.mark.parametrize("option", ["--check", "--diff"])
def test_documents_that_are_not_judged_are_counted(tmp_path, option):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"text": "One line."}\n' * 3)
    status, out, shown = run(path, option)
    assert (status, out) == (0, b"")
    assert re.fullmatch(r"not judged: fewer than \w+ fragments \(3 documents\)\n", shown)


def test_the_output_matches_the_pattern_of_the_input(tmp_path):
    """Else it would be read for ever, growing as it is read."""
    out = tmp_path / "z.jsonl"
    (tmp_path / "a.jsonl").write_bytes(numbered(3))
    with out.open("wb") as stream, start(f"{tmp_path}/*.jsonl", "-j1", stdout=stream) as started:
        _, err = started.communicate(timeout=60)
    assert started.returncode == 2
    assert f"standard output is {out}, an input of the same run" in err.decode()


@pytest.mark.usefixtures("marked")
def test_a_missing_folder_is_not_made_for_a_file(tmp_path, monkeypatch):
    """Whatever the size of the input."""
    path = tmp_path / "a.jsonl"
    path.write_bytes(numbered(3))
    for size in (1, 1 << 20):
        monkeypatch.setattr("cleaner.corpus._SMALL", size)
        failed(run(path, "-o", tmp_path / "no" / "out.jsonl"), "make the folder first")
        assert names(tmp_path) == ["a.jsonl"]


def test_figures_that_cannot_be_written_are_known_before_the_work(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    path.write_text(TEXT)
    monkeypatch.setattr("cleaner.cleaning.Cleaner", None)  # nothing is judged
    failed(run(path, "--stats", tmp_path / "no" / "stats"), "make the folder first")


@pytest.mark.usefixtures("marked")
def test_little_through_a_pipe_starts_no_workers(monkeypatch):
    monkeypatch.setattr("cleaner.corpus.cores", lambda: 8)
    monkeypatch.setattr("cleaner.workers.Workers", None)
    assert done("--format", "jsonl", stdin=numbered(50)) == numbered(50, LEFT)


def test_a_member_of_which_a_few_bytes_have_arrived_holds_no_answers_back():
    line = json.dumps({"text": "The council met on Monday.\n" * 50_000}).encode() + b"\n"
    first, second = gzip.compress(line), gzip.compress(line)
    with start("--format", "jsonl.gz", "--jobs", "2", "-", stdin=subprocess.PIPE) as started:
        timer = threading.Timer(60, started.kill)
        timer.start()
        started.stdin.write(first + second[:5])
        started.stdin.flush()
        answers = [started.stdout.readline()]
        started.stdin.write(second[5:])
        started.stdin.close()
        answers.append(started.stdout.readline())
        timer.cancel()
    assert all(answers)


@pytest.mark.parametrize("packed", [False, True])
def test_all_that_has_arrived_is_answered_before_more_is_waited_for(packed):
    """Of what came at once too, and with workers: who asks may wait for the answers."""
    text = "The council met on Monday.\n" * 4
    lines = [json.dumps({"text": text * 12_000}), *(json.dumps({"text": text}) for _ in "ab")]
    data = [line.encode() + b"\n" for line in lines]
    kind = "jsonl.gz" if packed else "jsonl"
    with start("--format", kind, "--jobs", "2", "-", stdin=subprocess.PIPE) as started:
        timer = threading.Timer(60, started.kill)
        timer.start()
        started.stdin.write(b"".join(map(gzip.compress, data) if packed else data))
        started.stdin.flush()
        answers = [started.stdout.readline() for _ in data]
        timer.cancel()
        started.stdin.close()
    assert all(answers)


@pytest.mark.usefixtures("marked")
@pytest.mark.parametrize(("jobs", "started"), [("3", 3), ("1000", 8)])
def test_no_more_workers_are_started_than_four_a_core(jobs, started, tmp_path, monkeypatch):
    path = tmp_path / "a.jsonl"
    path.write_bytes(numbered(50))
    counts = []

    class Here:
        """Workers that are counted; what they are to do is done here."""

        def __init__(self, count, options, settings):
            counts.append(count)
            self.answers = partial(answers_here, work=make_filter(options, settings))

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

    monkeypatch.setattr("cleaner.corpus.cores", lambda: 2)
    monkeypatch.setattr("cleaner.workers.Workers", Here)
    assert done("--jobs", jobs, path) == numbered(50, LEFT)
    assert counts == [started]


# --- the same bytes ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def articles(tmp_path_factory):
    """Documents of many kinds, enough for several blocks, in JSONL."""
    seed = (ROOT / "fixtures" / "seed" / "ukraine.txt").read_text()
    texts = [data.decode("utf-8", "replace") for data in NAMED.values() if len(data) < 20_000]
    path = tmp_path_factory.mktemp("articles") / "articles.jsonl"
    path.write_bytes(jsonl(*[seed, *texts, seed] * 4, *["Short. " * 30] * 2_000))
    return path


def test_the_same_bytes_whatever_the_jobs_and_batches(articles, tmp_path):
    made = []
    for number, options in enumerate(
        (["-j1"], ["-j2"], ["-j3", "--batch-size", "1"], ["-j1", "--batch-size", "256"])
    ):
        out, gone = tmp_path / f"{number}.jsonl.gz", tmp_path / f"{number}.gone.zst"
        done(articles, "--explain", "-o", out, "--removed", gone, *options, how=process)
        made.append((out.read_bytes(), gone.read_bytes()))
    assert len(set(made)) == 1
    assert gzip.decompress(made[0][0]).count(b"blood clotting") > 0


def test_figures_of_a_run(articles, tmp_path):
    figures = []
    for jobs in ("-j1", "-j2"):
        stats = ["--stats", tmp_path / "stats.json"]
        done(articles, jobs, "-o", tmp_path / "out", *stats, how=process)
        figures.append(json.loads((tmp_path / "stats.json").read_text()))
        assert figures[-1]["replayed"] == 0
        for name in ("seconds", "documents_per_second"):
            assert figures[-1].pop(name) > 0
    assert figures[0] == figures[1]
    removed = figures[0]["fragments_removed"]
    assert removed["off-topic"] >= 8 * 6
    assert figures[0]["documents"] == articles.read_bytes().count(b"\n")
    assert figures[0]["not_judged"]["fewer than 5 fragments"] > 0
    assert set(figures[0]["characters_removed"]) == set(removed)


@pytest.mark.parametrize("size", [3, 900, 1_100, 2_500])
def test_nothing_is_lost_at_any_size(tmp_path, size):
    """One process, several, or first the one and then the others: by how much there is to do."""
    data = numbered(size, "x" * 1_000 + "{}")
    path = tmp_path / "a.jsonl"
    path.write_bytes(data)
    assert done(path, how=process) == data
    assert done("--format", "jsonl", stdin=data, how=process) == data


def test_workers_pass_on_what_has_arrived():
    with start("--format", "jsonl", "-j2", stdin=subprocess.PIPE) as process:
        for number in range(3):
            line = jsonl(f"Record {number}.\n")
            process.stdin.write(line)
            process.stdin.flush()
            assert process.stdout.readline() == line
        process.stdin.close()
        assert process.stdout.read() == b""
        assert process.wait(60) == 0


def test_workers_pass_on_what_is_done_before_the_next_pipe_has_anything(tmp_path):
    path, line = tmp_path / "a.jsonl", jsonl("Record 1.\n")
    path.write_bytes(line)
    with start("--format", "jsonl", "-j2", path, "-", stdin=subprocess.PIPE) as process:
        assert process.stdout.readline() == line
        process.stdin.write(line)
        process.stdin.close()
        assert process.stdout.read() == line
        assert process.wait(60) == 0


# --- records and files that cannot be used -------------------------------------------------------

BAD = b'{"text": "a", "text": null}\n'


@pytest.mark.usefixtures("marked")
def test_records_that_cannot_be_used(tmp_path):
    path, stats = tmp_path / "a.jsonl", tmp_path / "stats.json"
    path.write_bytes(numbered(2) + BAD + b"{nonsense\n" + numbered(2))
    failed(run(path, "-o", tmp_path / "out"), "a.jsonl:3: the field 'text' is null")
    assert names(tmp_path) == ["a.jsonl"]
    options = [path, "--stats", stats, "--on-error"]
    assert done(*options, "skip") == numbered(2, LEFT) * 2
    assert json.loads(stats.read_text())["errors"] == 2
    kept = numbered(2, LEFT) + BAD + b"{nonsense\n" + numbered(2, LEFT)
    status, out, shown = run(*options, "keep")
    assert (status, out) == (0, kept)
    assert f"{path}:3: the field 'text' is null: kept as it is\n" in shown
    assert f"{path}:4: not valid JSON (Expecting property name" in shown
    made = run(*options, "keep", "-o", tmp_path / "out.parquet")
    failed(made, "--on-error keep and another format do not go together", status=2)


@pytest.mark.usefixtures("marked")
def test_bytes_that_are_no_utf8_in_a_record(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"x": "\xff", "text": "Good \xfe\xc3.\\nJUNK \xff.\\nEnd.\\n"}\n' * 3)
    assert done(path) == b'{"x": "\xff", "text": "Good \xfe\xc3.\\nEnd.\\n"}\n' * 3


@pytest.mark.usefixtures("marked")
def test_twenty_records_that_cannot_be_used_are_named(tmp_path):
    one, two, stats = tmp_path / "1.jsonl", tmp_path / "2.jsonl", tmp_path / "stats.json"
    one.write_bytes(BAD * 15)
    two.write_bytes(BAD * 15 + numbered(1))
    _, _, shown = run(one, two, "-q", "--on-error", "skip", "--stats", stats)
    lines = shown.splitlines()
    assert lines[14] == f"{one}:15: the field 'text' is null: left out"
    assert lines[19] == f"{two}:5: the field 'text' is null: left out"
    assert lines[20:] == [f"{two}: 10 more left out"]
    figures = json.loads(stats.read_text())
    assert figures["errors"] == 30
    assert figures["problems"][29] == f"{two}:15: the field 'text' is null"


@pytest.mark.usefixtures("marked")
def test_the_figures_of_a_run_that_fails(tmp_path):
    path, stats = tmp_path / "a.jsonl", tmp_path / "stats.json"
    path.write_bytes(numbered(3) + BAD)
    failed(run(path, "--stats", stats))
    figures = json.loads(stats.read_text())
    assert (figures["complete"], figures["documents"]) == (False, 3)
    assert figures["error"].startswith(f"{path}:4: the field 'text' is null; mend it")
    done(path, "--stats", stats, "--on-error", "keep")
    figures = json.loads(stats.read_text())
    assert figures["complete"]
    assert "error" not in figures


@pytest.mark.usefixtures("marked")
def test_what_is_left_out_of_a_folder_that_holds_an_earlier_run(tmp_path):
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    (folder / "a.jsonl.gz").write_bytes(gzip.compress(numbered(3)))
    done(folder, "-o", out)
    cut(folder / "a.jsonl.gz", "gz")
    _, _, shown = run(folder, "-o", out, "--on-error", "skip")
    assert f"left out; {out}/a.jsonl.gz is of an earlier run" in shown


def cut(path, kind):
    data = numbered(3_000)
    packed = gzip.compress(data) if kind == "gz" else zstandard.compress(data)
    path.write_bytes(packed[: len(packed) * 3 // 4])


@pytest.mark.usefixtures("marked")
@pytest.mark.parametrize(("kind", "called"), [("gz", "gzip"), ("zst", "zstd")])
def test_truncated_files(tmp_path, kind, called):
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    bad = folder / f"b.jsonl.{kind}"
    cut(bad, kind)
    message = f"{bad}: ends in the middle of its {called} data"
    failed(run(bad, "-o", tmp_path / "out.jsonl"), message)
    hint = "--on-error skip takes files where --output is a folder"
    failed(run(bad, "-o", tmp_path / "out.jsonl", "--on-error", "skip"), message, hint)
    assert names(tmp_path) == [f"in/b.jsonl.{kind}"] or ".out.jsonl.journal" in names(tmp_path)
    (folder / "a.txt").write_text(TEXT.format(1))
    (folder / "c.txt").write_text(TEXT.format(2))
    failed(run(folder, "-o", out), message)
    assert (out / "a.txt").read_text() == LEFT.format(1)
    assert not (out / bad.name).exists()
    gone, stats = tmp_path / "gone", tmp_path / "stats"
    options = ["--removed", gone, "--stats", stats, "--on-error", "skip"]
    status, _, shown = run(folder, "-o", out, *options)
    assert status == 0
    assert f"{message}: left out" in shown
    # What is left out is not accounted for either.
    assert gone.read_bytes().count(b"\n") == 2
    figures = json.loads(stats.read_text())
    assert (figures["documents"], figures["errors"]) == (2, 1)
    assert names(out) == ["a.txt", "c.txt"]
    done(folder, "-o", out, "--on-error", "keep")
    assert (out / bad.name).read_bytes() == bad.read_bytes()
    before = bad.read_bytes()
    done(folder, "-i", "--on-error", "keep")
    assert bad.read_bytes() == before
    assert (folder / "a.txt").read_text() == LEFT.format(1)


@pytest.mark.usefixtures("marked")
def test_a_truncated_file_is_gone_on_from(tmp_path, monkeypatch):
    monkeypatch.setattr("cleaner.corpus._SMALL", 0)
    folder, out, whole = tmp_path / "in", tmp_path / "out", tmp_path / "whole"
    folder.mkdir()
    (folder / "a.txt").write_text(TEXT.format(1))
    cut(folder / "b.jsonl.gz", "gz")
    (folder / "c.txt").write_text(TEXT.format(2))
    failed(run(folder, "-o", out, "-j1"), "ends in the middle", "--resume goes on from there")
    done(folder, "-o", out, "-j1", "--resume", "--on-error", "skip")
    done(folder, "-o", whole, "-j1", "--on-error", "skip")
    assert contents(out) == contents(whole)


@pytest.fixture
def packed(tmp_path, monkeypatch):
    """A file of gzip that a run reads in many small blocks."""
    monkeypatch.setattr("cleaner.corpus._SMALL", 0)
    monkeypatch.setattr("cleaner.blocks._FULL", 4_000)
    monkeypatch.setattr("cleaner.formats.compression._CHUNK", 512)
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(numbered(1_000)))
    return path


@pytest.mark.usefixtures("marked")
def test_a_truncated_file_is_gone_on_with_when_it_is_whole(packed, tmp_path):
    """Wherever it was cut: its last block was short, or full of less than there is now."""
    out, whole = tmp_path / "out.jsonl", packed.read_bytes()
    for size in [40, *range(400, len(whole) - 8, 400)]:
        packed.write_bytes(whole[:size])
        failed(run(packed, "-o", out, "-j1"), "ends in the middle of its gzip data")
        held = journal(out).exists()  # not where nothing was read before the end
        packed.write_bytes(whole)
        _, _, shown = run(packed, "-o", out, "-j1", "--resume")
        assert out.read_bytes() == numbered(1_000, LEFT)
        assert not journal(out).exists()
        assert (" from the earlier run" in shown) == held or size < 1_000
        out.unlink()


@pytest.mark.usefixtures("marked")
def test_a_file_is_cut_off_more_than_once(packed, tmp_path):
    """What is gone on with stays so, also where another option was given in between."""
    out, whole = tmp_path / "out.jsonl", packed.read_bytes()
    command = [packed, "-o", out, "-j1", "--on-error"]
    for size, *options in (
        [2_000, "fail"],
        [3_000, "skip", "--resume"],
        [3_000, "skip", "--resume"],
    ):
        packed.write_bytes(whole[:size])
        failed(run(*command, *options), "ends in the middle")
    packed.write_bytes(whole)
    _, _, shown = run(*command, "skip", "--resume")
    assert " from the earlier run" in shown
    assert out.read_bytes() == numbered(1_000, LEFT)


def test_what_cannot_be_read_cannot_be_kept(tmp_path):
    gone = Part(0, str(tmp_path / "gone.jsonl"), "jsonl", relative="gone.jsonl", last=True)
    outputs = Apart(tmp_path / "out", target=None)
    with pytest.raises(InputError, match=r"gone.jsonl: no such file"), outputs:
        outputs.fail(gone, keep=True)
    assert names(tmp_path) == []


@pytest.mark.usefixtures("marked")
@pytest.mark.parametrize("kind", ["gz", "zst"])
@pytest.mark.parametrize("data", [b"", b"no compressed data at all" * 9])
def test_what_is_no_compressed_file(tmp_path, kind, data):
    path = tmp_path / f"a.txt.{kind}"
    path.write_bytes(data)
    failed(run(path), f"{path}: ", "get it anew")


@pytest.mark.usefixtures("marked")
@pytest.mark.parametrize("kind", ["gz", "zst"])
@pytest.mark.parametrize("behind", [b"\n", b"no compressed data", b"\0\0junk"])
def test_what_follows_compressed_data_and_is_none(tmp_path, kind, behind):
    """A file is not fetched anew for it: it is the same file then."""
    whole = (gzip.compress if kind == "gz" else zstandard.compress)(numbered(3))
    path = tmp_path / f"a.jsonl.{kind}"
    path.write_bytes(whole + behind)
    size = len(whole) + behind.count(b"\0")
    failed(run(path), f"its first {size} bytes are whole", f"head -c {size} leaves that out")
    path.write_bytes(path.read_bytes()[:size])
    assert done(path) == numbered(3, LEFT)


@pytest.mark.usefixtures("marked")
@pytest.mark.parametrize("log", [27, 28, 31])
def test_frames_of_a_long_window(tmp_path, log):
    """As zstd --long makes them; what holds nothing is passed over."""
    path = tmp_path / "a.jsonl.zst"
    parameters = zstandard.ZstdCompressionParameters.from_level(3, window_log=log)
    packer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    skipped = b"\x50\x2a\x4d\x18\x04\0\0\0abcd"
    frame = packer.compress(numbered(30)) + packer.flush()
    path.write_bytes(frame + skipped + zstandard.compress(numbered(2)))
    assert done(path) == numbered(30, LEFT) + numbered(2, LEFT)


@pytest.mark.usefixtures("marked")
def test_no_memory_for_a_long_window_is_no_damage(tmp_path, monkeypatch):
    class Part:
        eof = False

        def decompress(self, _):
            raise zstandard.ZstdError("Allocation error : not enough memory")

    path = tmp_path / "a.jsonl.zst"
    path.write_bytes(zstandard.compress(numbered(1)))
    monkeypatch.setattr("cleaner.formats.compression._unzstd", Part)
    failed(run(path), "memory ran out")


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_a_few_bytes_may_unpack_to_more_than_there_is_memory(tmp_path, pack):
    path = tmp_path / f"a.jsonl.{'gz' if pack is gzip.compress else 'zst'}"
    path.write_bytes(pack(b"\n" * 30_000_000 + b"{}\n"))
    item = source(str(path))
    with item.open() as stream:
        sizes = [len(piece) for piece in item.lines(stream)]
    assert sum(sizes) == 30_000_003
    assert max(sizes) <= 1 << 19


@pytest.mark.usefixtures("marked")
def test_lines_are_counted_across_blank_ones(tmp_path):
    path, gone = tmp_path / "a.jsonl", tmp_path / "gone.jsonl"
    path.write_bytes(b"\n \n" + numbered(1) + b"\n\n\n" + numbered(1) + b"\n")
    assert done(path, "--removed", gone) == path.read_bytes().replace(b"JUNK line.\\n", b"")
    lines = [json.loads(line) for line in gone.read_text().splitlines()]
    assert [line["line"] for line in lines if "start" in line] == [3, 7]


def test_a_record_of_100_megabytes(tmp_path):
    long = json.dumps({"id": 1, "text": "word " * 20_000_000}).encode() + b"\n"
    path, out = tmp_path / "a.jsonl", tmp_path / "out.jsonl"
    path.write_bytes(numbered(2) + long + numbered(2))
    done(path, "-j2", "-o", out, "--stats", tmp_path / "stats.json", *DROP, how=process)
    assert out.read_bytes() == numbered(2, LEFT) + long + numbered(2, LEFT)
    why = json.loads((tmp_path / "stats.json").read_text())["not_judged"]
    assert why["longer than 20,000,000 characters"] == 1


@pytest.mark.usefixtures("marked")
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("option", ["-o", "--removed", "--stats"])
def test_a_full_disk(tmp_path, option):
    path = tmp_path / "a.jsonl"
    path.write_bytes(numbered(3_000))
    made = run(path, option, "/dev/full")
    failed(made, "/dev/full: cannot be written (No space left on device)")
    assert names(tmp_path) == ["a.jsonl"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_log_that_nobody_takes_ends_no_run(tmp_path):
    path, out = tmp_path / "a.jsonl", tmp_path / "out.jsonl"
    path.write_bytes(numbered(3) + b"no JSON\n" + numbered(3))
    with (
        Path("/dev/full").open("wb", 0) as full,
        start(path, "-o", out, "--on-error", "skip", *DROP, stderr=full) as made,
    ):
        assert made.wait(60) == 0
    assert out.read_bytes() == numbered(3, LEFT) + numbered(3, LEFT)


def test_a_full_file_system(tmp_path):
    """Files may grow to 100 kB and no more, as on a disk that is full."""
    path, out = tmp_path / "a.jsonl", tmp_path / "out"
    path.write_bytes(numbered(3_000, "x" * 1000 + "{}"))
    out.mkdir()
    limit = (resource.RLIMIT_FSIZE, (100_000, 100_000))
    code = (
        "import resource, signal, runpy, sys\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"resource.setrlimit(*{limit!r})\n"
        "runpy.run_module('cleaner', run_name='__main__')\n"
    )
    whole = [sys.executable, "-c", code, str(path), "-j1", "-o", str(out / "o.jsonl")]
    made = subprocess.run(whole, env=ENVIRONMENT, capture_output=True, check=False, timeout=100)
    assert made.returncode == 1
    assert b"cannot be written (File too large)" in made.stderr
    assert b"Traceback" not in made.stderr
    assert not (out / "o.jsonl").exists()


@pytest.mark.usefixtures("marked")
@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_read_only(tree, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    out.chmod(0o500)
    failed(run(tree, "-o", out), "cannot be")


@pytest.mark.usefixtures("marked")
def test_an_output_below_a_file(tree, tmp_path):
    (tmp_path / "file").write_text("")
    failed(run(tree, "-o", tmp_path / "file" / "out"), "file/out: ", "Not a directory")


def test_a_reader_that_goes_away(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(numbered(20_000))
    with start(path, "-j2") as started:
        assert started.stdout.readline()
        started.stdout.close()
        assert started.stderr.read() == b""
        assert started.wait(60) == 1


# --- changed in place ----------------------------------------------------------------------------


@pytest.fixture
def three(tmp_path):
    """A folder of three files, the last of which ends a run."""
    folder = tmp_path / "three"
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}.jsonl").write_bytes(numbered(5))
    with (folder / "2.jsonl").open("ab") as file:
        file.write(BAD)
    return folder


def restored(folder, gone):
    """What the files of a folder were, as their accounts tell."""
    for path in sorted(folder.iterdir()):
        yield path.name, done("restore", path, "--removed", gone, "--input", path)


@pytest.mark.usefixtures("marked")
@pytest.mark.parametrize("suffix", ["", ".gz", ".zst"])
def test_what_was_removed_in_place_is_never_lost(three, tmp_path, suffix):
    """It is all that is left of what the files were."""
    gone = tmp_path / f"gone.jsonl{suffix}"
    before = contents(three)
    command = [three, "-i", "--removed", gone]
    failed(run(*command), "2.jsonl:6: the field 'text' is null")
    assert contents(three)["1.jsonl"] == numbered(5, LEFT)
    assert contents(three)["2.jsonl"] == before["2.jsonl"]
    done(*command, "--on-error", "keep")  # adds to what is there
    assert contents(three)["2.jsonl"] == numbered(5, LEFT) + BAD
    assert dict(restored(three, gone)) == before
    held = gone.read_bytes()
    done(*command, "--on-error", "keep")
    assert gone.read_bytes() == held


@pytest.mark.usefixtures("marked")
def test_accounts_that_were_cut_off_are_not_added_to(three, tmp_path):
    for gone, data in (("gone", b'{"path": "a'), ("gone.gz", gzip.compress(b"{}\n" * 9)[:-9])):
        (tmp_path / gone).write_bytes(data)
        failed(run(three, "-i", "--removed", tmp_path / gone), f"{gone}: does not end where a line")
        assert (tmp_path / gone).read_bytes() == data


@linux
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_what_was_removed_in_place_by_a_run_that_is_ended(slow, tmp_path, number):
    gone, before = tmp_path / "gone.jsonl", contents(slow)
    with start(slow, "-j1", "-i", "--removed", gone, *DROP) as started:
        wait_for(lambda: b"JUNK" not in (slow / "a2.txt").read_bytes(), started)
        started.send_signal(number)
        assert started.wait(60) == (-9 if number == signal.SIGKILL else 143)
    for name in ("a0.txt", "a1.txt", "a2.txt"):
        path = slow / name
        assert done("restore", path, "--removed", gone, "--input", path) == before[name]


# --- killed --------------------------------------------------------------------------------------


def workers_of(started):
    """The process ids of the workers that `started` has started."""
    found = Path(f"/proc/{started.pid}/task/{started.pid}/children").read_text().split()
    return [int(pid) for pid in found if b"spawn_main" in _commandline(pid)]


def _commandline(pid):
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def resident(pid):
    """Bytes of memory that a process has."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize()


def wait_for(condition, started):
    for _ in range(3_000):
        found = condition()
        if found:
            return found
        assert started.poll() is None, started.stderr.read()
        time.sleep(0.02)
    raise AssertionError("it did not happen")


def busy_worker(started):
    """A worker that has begun a long document, once there is one."""

    def one():
        return [pid for pid in workers_of(started) if resident(pid) > 200_000_000]

    return wait_for(one, started)[0]


def is_gone(pid):
    return not _commandline(pid)


@pytest.fixture
def slow(tmp_path):
    """A folder with three short documents and two long ones."""
    folder = tmp_path / "slow"
    folder.mkdir()
    for number in range(3):
        (folder / f"a{number}.txt").write_text(TEXT.format(number) + "x" * 300_000)
    for number in range(2):
        (folder / f"b{number}.txt").write_text(SLOW.format(number))
    return folder


@linux
def test_a_worker_that_is_killed(slow, tmp_path):
    out = tmp_path / "out"
    with start(slow, "-j2", "-o", out, *DROP) as started:
        pid = busy_worker(started)
        others = workers_of(started)
        os.kill(pid, signal.SIGKILL)
        shown = started.stderr.read().decode()
        assert started.wait(60) == 1
    assert "a worker was ended by signal SIGKILL while it had " in shown
    assert f"{slow}/b" in shown
    assert "Traceback" not in shown
    assert {"b0.txt", "b1.txt"}.isdisjoint(names(out))
    assert not [name for name in names(out) if name.endswith(".partial")]
    assert all(map(is_gone, others))


def test_memory_that_runs_out(tmp_path, monkeypatch):
    def full(**_):
        raise MemoryError

    path = tmp_path / "a.txt"
    path.write_text(TEXT)
    monkeypatch.setattr("cleaner.cleaning.Cleaner", full)
    failed(run(path), "memory ran out; use fewer --jobs or a smaller --batch-size")


@pytest.mark.parametrize("error", [RuntimeError("no such\nthing"), MemoryError(), KeyError()])
def test_a_worker_tells_what_it_fails_with(monkeypatch, error):
    """Whatever it is, and the documents it had; a lack of memory is not blamed for all else."""

    class Failing:
        def process(self, _parts, report):
            report("a.jsonl:1", "a.jsonl:9")
            raise error

    class Connection(list):
        send = list.append

    sent = Connection()
    monkeypatch.setattr("cleaner.workers.make_filter", lambda *_: Failing())
    monkeypatch.setattr(
        "cleaner.workers._listen", lambda _, inbox: inbox.put((0, (Part(0, "a.jsonl", "jsonl"),)))
    )
    _serve(sent, {}, None)
    assert [kind for kind, _ in sent] == ["ready", "at", "failed"]
    expected = {
        RuntimeError: "a worker failed with RuntimeError (no such thing); report it, with what",
        KeyError: "a worker failed with KeyError; report it, with what --jobs 1 shows of it",
        MemoryError: "memory ran out; use fewer --jobs",
    }
    assert isinstance(sent[-1][1], WorkerError)
    assert str(sent[-1][1]).startswith(f"a.jsonl:1 to a.jsonl:9: {expected[type(error)]}")


def test_a_worker_that_can_take_nothing_more_ends(monkeypatch):
    """Else who sends would wait for it for ever."""

    class Connection:
        def recv(self):
            raise MemoryError

    monkeypatch.setattr("os._exit", sys.exit)
    with pytest.raises(SystemExit):
        _listen(Connection(), SimpleQueue())


@pytest.mark.parametrize(
    ("part", "place"),
    [
        (Part(0, "a.txt", "text"), "a.txt"),
        (Part(0, "-", "jsonl", first=7), "standard input:7"),
        (Part(0, "a.parquet", "parquet", first=7), "a.parquet: row 7"),
    ],
)
def test_where_a_part_begins(part, place):
    assert part.place == place


@linux
@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
@pytest.mark.parametrize("jobs", ["-j1", "-j2"])
def test_a_run_that_is_interrupted(slow, tmp_path, number, status, jobs):
    out = tmp_path / "out"
    stats = tmp_path / "stats.json"
    with start(slow, jobs, "-o", out, "--stats", stats, *DROP, start_new_session=True) as started:
        wait_for((out / "a2.txt").exists, started)
        others = workers_of(started)
        os.killpg(started.pid, number)  # as a terminal does it: to all of them
        shown = started.stderr.read().decode()
        assert started.wait(60) == status
    assert shown.splitlines()[-1] == "Interrupted."
    figures = json.loads(stats.read_text())
    assert (figures["complete"], figures["error"]) == (False, "interrupted")
    assert figures["documents"] >= 2  # the third may be written, and not be counted yet
    assert "Traceback" not in shown
    whole = [name for name in names(out) if not name.startswith(".")]
    assert whole[:3] == ["a0.txt", "a1.txt", "a2.txt"]
    assert not [name for name in names(out) if name.endswith(".partial")]
    assert all(map(is_gone, others))
    for name in whole[:3]:
        assert (out / name).read_text() == (slow / name).read_text().replace("JUNK line.\n", "")


@linux
def test_workers_end_with_the_process_that_started_them(slow, tmp_path):
    with start(slow, "-j2", "-o", tmp_path / "out") as started:
        busy_worker(started)
        others = workers_of(started)
        started.kill()
        started.wait(60)
    for _ in range(1_000):
        if all(map(is_gone, others)):
            return
        time.sleep(0.02)
    raise AssertionError(others)


# --- gone on with --------------------------------------------------------------------------------


def journal(path):
    return path.with_name(f".{path.name}.journal")


def killed(*arguments, when):
    """A run that is killed as soon as `when` holds."""
    with start(*arguments) as started:
        wait_for(when, started)
        started.kill()
        started.wait(60)


@pytest.fixture
def many(tmp_path):
    """A file of some ten blocks."""
    path = tmp_path / "many.jsonl"
    path.write_bytes(b"".join(numbered(400, "x" * 3_000 + TEXT) for _ in range(2)))
    return path


def test_a_small_file_that_unpacks_to_much_is_gone_on_with(many, tmp_path):
    packed, whole, out = (tmp_path / name for name in ("in.jsonl.gz", "whole.jsonl", "out.jsonl"))
    packed.write_bytes(gzip.compress(many.read_bytes()))
    assert packed.stat().st_size < 1 << 18
    done(packed, "-o", whole, *DROP)
    killed(packed, "-o", out, *DROP, when=lambda: size(journal(out)) > 3_000)
    done(packed, "-o", out, *DROP, "--resume")
    assert out.read_bytes() == whole.read_bytes()


@pytest.mark.parametrize(
    ("suffix", "jobs"),
    [(".jsonl", "-j1"), (".jsonl.gz", "-j2"), (".jsonl.zst", "-j1"), (".parquet", "-j2")],
)
def test_a_killed_run_is_gone_on_with(many, tmp_path, suffix, jobs):
    whole, out = tmp_path / f"whole{suffix}", tmp_path / f"out{suffix}"
    more = ["--removed", tmp_path / "gone", "--stats", tmp_path / "stats", *DROP]
    done(many, "-j1", "-o", whole, *more)
    gone, stats = (tmp_path / "gone").read_bytes(), json.loads((tmp_path / "stats").read_text())
    killed(many, jobs, "-o", out, *more, when=lambda: size(journal(out)) > 3_000)
    assert not out.exists()
    held = journal(out).read_bytes()
    assert len(held) > 3_000
    with journal(out).open("ab") as file:
        file.write(held[-500:-1])  # what a crash may leave behind
    done(many, "-j1", "-o", out, *more, "--resume")
    assert out.read_bytes() == whole.read_bytes()
    assert (tmp_path / "gone").read_bytes() == gone
    again = json.loads((tmp_path / "stats").read_text())
    assert again["replayed"] > stats["replayed"] == 0
    for name in ("seconds", "documents_per_second", "replayed"):
        del stats[name], again[name]
    assert again == stats
    assert [name for name in names(tmp_path) if name.startswith(".")] == []


def size(path):
    return path.stat().st_size if path.exists() else 0


def test_a_folder_is_gone_on_with(tmp_path):
    folder, out, whole = tmp_path / "in", tmp_path / "out", tmp_path / "whole"
    folder.mkdir()
    for number in range(6):
        (folder / f"{number}.jsonl").write_bytes(numbered(300, "x" * 3_000 + TEXT))
    done(folder, "-j1", "-o", whole, *DROP)
    killed(folder, "-j1", "-o", out, *DROP, when=(out / "2.jsonl").exists)
    assert not (out / "5.jsonl").exists()
    before = (out / "0.jsonl").stat().st_mtime_ns
    done(folder, "-j1", "-o", out, *DROP, "--resume")
    assert contents(out) == contents(whole)
    assert (out / "0.jsonl").stat().st_mtime_ns == before


def test_what_is_begun_anew_says_so(many, tmp_path):
    out = tmp_path / "out.jsonl"
    _, _, shown = run(many, "-j1", "-o", out, *DROP, "--resume")
    assert shown.startswith("There is nothing to go on with: the run begins anew.\n")
    killed(many, "-j1", "-o", out, *DROP, when=lambda: size(journal(out)) > 3_000)
    held = journal(out).read_bytes()
    _, _, shown = run(many, "-j1", "-o", out, *DROP, "--resume")
    assert " from the earlier run), 800 changed" in shown
    journal(out).write_bytes(held)
    _, _, shown = run(many, "-j1", "-o", out, *DROP)
    assert shown.startswith("The run begins anew. An earlier one with the same options was ended: ")
    _, _, shown = run(many, "-j1", "-o", out, *DROP)
    assert "anew" not in shown


def test_what_has_changed_is_not_gone_on_with(many, tmp_path):
    out = tmp_path / "out.jsonl"
    command = [many, "-j1", "-o", out, *DROP]
    killed(*command, when=lambda: size(journal(out)) > 3_000)
    held = journal(out).read_bytes()
    for options in (["--threshold", "0.9"], ["--keep", "x"], ["--explain"], ["--text-field", "id"]):
        failed(run(*command, *options, "--resume"), "is not that of the run to go on", status=2)
    data = many.read_bytes()
    many.write_bytes(data.replace(b"Good", b"Gold", 1))
    shown = failed(run(*command, "--resume"), f"{many} is not what was read before")
    assert "goes on from there" not in shown
    many.write_bytes(data[:1000])
    failed(run(*command, "--resume"), "not what was read before")
    assert journal(out).read_bytes() == held
    many.write_bytes(data)
    done(*command, "--resume", "--on-error", "skip")
    assert not journal(out).exists()


def test_a_bad_record_is_gone_on_from(many, tmp_path):
    """Hours of work are not lost to one bad line."""
    out = tmp_path / "out.jsonl"
    data = many.read_bytes()
    many.write_bytes(data + b"{nonsense\n" + numbered(3))
    shown = failed(run(many, "-j1", "-o", out, *DROP), "many.jsonl:801: not valid JSON")
    assert "What is done is kept: the same command with --resume goes on from there." in shown
    assert not out.exists()
    done(many, "-j1", "-o", out, *DROP, "--resume", "--on-error", "skip")
    assert out.read_bytes() == data.replace(b"JUNK line.\\n", b"") + numbered(3, LEFT)


@pytest.mark.parametrize("options", [["--resume"], ["--resume", "-o", "out.jsonl", "-"]])
def test_what_cannot_be_gone_on_with(many, tmp_path, monkeypatch, options):
    monkeypatch.chdir(tmp_path)
    failed(run(many, *options), "--resume needs inputs that can be read again", status=2)


@linux
def test_two_runs_do_not_write_one_output(slow, tmp_path):
    out = tmp_path / "out"
    with start(slow, "-j1", "-o", out) as started:
        wait_for((out / "a0.txt").exists, started)
        failed(run(slow, "-j1", "-o", out), "another run is writing there; wait for its end")
        started.kill()
        started.wait(60)


# --- at a terminal -------------------------------------------------------------------------------


def at_a_terminal(*arguments):
    """What a run shows on a terminal that is its standard error alone."""
    ours, theirs = os.openpty()
    with start(*arguments, stderr=theirs) as started:
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):  # how the end of a terminal is told
            while piece := os.read(ours, 1 << 16):
                shown += piece
        os.close(ours)
        assert started.wait(60) == 0
    return shown.decode()


@linux
def test_a_bar_on_a_terminal_alone(many, tmp_path):
    out, longer = tmp_path / "out.jsonl", tmp_path / "longer.jsonl"
    longer.write_bytes(many.read_bytes() * 30)  # a run of a moment shows no bar
    shown = at_a_terminal(longer, "-j1", "-o", out, *DROP)
    assert "documents, " in shown
    assert "% removed" in shown
    assert "\x1b[" in shown
    assert "24,000 documents, 24,000 changed" in shown.splitlines()[-2]
    assert at_a_terminal(many, "-j1", "-q", "-o", out, *DROP) == ""
    _, _, err = run(many, "-j1", "-o", out, *DROP)
    assert "\x1b[" not in err
    assert len(err.splitlines()) == 2


# --- the accurate tier ---------------------------------------------------------------------------


@pytest.mark.accurate
def test_workers_of_the_accurate_tier_say_the_same_and_nothing_besides(tmp_path, seed):
    path = tmp_path / "a.jsonl"
    path.write_bytes(jsonl(*[seed[:2_000]] * 2))
    alone = ("--encoder", "accurate", "--batch-size", "1", path)
    status, out, err = process(*alone, "-j2")
    assert status == 0
    assert out == done(*alone, "-j1", how=process)
    assert "Warning" not in err


# --- memory --------------------------------------------------------------------------------------


def of_many_words(number):
    """A text with fifteen words that no other has: 300,000 in 20,000 texts fill every cache."""
    new = [f"{number * 15 + n:x}q" for n in range(15)]
    return "".join(f"The boats of {' and '.join(new[at::5])} are here.\n" for at in range(5))


@pytest.mark.skipif(sys.platform != "linux", reason="memory is counted in KiB on Linux only")
def test_memory_does_not_grow_with_the_number_of_documents(tmp_path):
    code = (
        "import re, resource, sys\nfrom pathlib import Path\nfrom cleaner.cli import main\n"
        # So that few documents fill them: a worker's take a hundred megabytes.
        "import cleaner.words, cleaner.encoders.static\n"
        "cleaner.words._CACHE_LIMIT = cleaner.encoders.static._CACHE_LIMIT = 5_000\n"
        "if __name__ == '__main__':\n"
        "    main(sys.argv[1:], standalone_mode=False)\n"
        # What getrusage says of the process itself counts what it was before its program began.
        "    own = re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1]\n"
        "    print(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)\n"
    )
    script, path = tmp_path / "measured.py", tmp_path / "a.jsonl"
    script.write_text(code)
    peaks = []
    for count in (2_000, 20_000):
        path.write_bytes(jsonl(*map(of_many_words, range(count))))
        whole = [sys.executable, script, path, "-q", "-j2", "-o", tmp_path / "out.jsonl"]
        whole += ["--stats", tmp_path / "stats.json"]
        made = subprocess.run(whole, env=ENVIRONMENT, capture_output=True, check=True, timeout=240)
        assert json.loads((tmp_path / "stats.json").read_bytes())["not_judged"] == {}
        peaks.append([int(part) for part in made.stderr.split()])
    assert all(many < few + 30_000 for few, many in zip(*peaks, strict=True)), peaks
    assert max(map(max, peaks)) < 400_000
