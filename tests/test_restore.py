"""Clean output and removed fragments give the input back, byte for byte, or are refused."""

import gzip
import json
import subprocess
import sys

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from inputs import NAMED

from cleaner.cli import main

# Pieces of texts that are hard to take apart and put together.
PIECES = st.sampled_from(
    [
        "A good line.",
        "JUNK line.",
        "Two of them. JUNK too. And one more.",
        *("\n", "\r\n", "\r", " ", "\t", "\u2028", "\x0c", "\x00"),
        "\u00e9t\u00e9 \U0001f600.",
        "JUNK \U0001f468\u200d\U0001f469.",
        "\u202eJUNK \u202c.",
        'He said "JUNK".',
        "back\\slash",
        *("\ud83d", "\ude00", "\udcff"),
        "</text> JUNK",
        "JUNK \u00fc\n",
    ]
)
TEXTS = st.lists(PIECES, max_size=25).map("".join)
BYTES = st.lists(
    st.sampled_from([b"JUNK line.", b" Good one. ", b"\n", b"\r\n", b"\xff\xfe", b"\xed\xa0\x80"]),
    max_size=20,
).map(b"".join)


def run(*arguments, stdin=None):
    done = CliRunner().invoke(main, [str(item) for item in arguments], input=stdin)
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return done


def cleaned(folder, data, name):
    """Clean `data` as a file called `name`; paths of the clean file and of what was removed."""
    path = folder / name
    path.write_bytes(data)
    out, removed = folder / f"clean-{name}", folder / "removed.jsonl"
    assert run(path, *said(name), "-o", out, "--removed", removed).exit_code == 0
    return out, removed


def said(name):
    """What it is: text that begins as UTF-16 does is not taken for text by its name alone."""
    return ["--format", "text"] if name.endswith(".txt") else []


def comes_back(folder, data, name):
    out, removed = cleaned(folder, data, name)
    command = ("restore", out, *said(name), "--removed", removed)
    done = run(*command)
    assert (done.stderr, done.exit_code) == ("", 0)
    assert done.stdout_bytes == data
    assert run(*command, "-o", folder / "back").stdout_bytes == b""
    assert (folder / "back").read_bytes() == data
    return out, removed


# --- the inverse of the filter -------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMED)
@pytest.mark.usefixtures("marked")
def test_every_named_input_comes_back(tmp_path, name):
    comes_back(tmp_path, NAMED[name], "a.txt")


@pytest.mark.parametrize("name", NAMED)
@pytest.mark.parametrize("escaped", [False, True])
@pytest.mark.usefixtures("marked")
def test_every_named_input_comes_back_as_a_record(tmp_path, name, escaped):
    text = NAMED[name].decode("utf-8", "replace")
    line = json.dumps({"id": 1, "text": text, "more": [1.50, "JUNK"]}, ensure_ascii=escaped)
    comes_back(tmp_path, (line + "\n").encode(), "a.jsonl")


def test_the_seed_comes_back(tmp_path, seed):
    out, _ = comes_back(tmp_path, seed.encode(), "seed.txt")
    assert len(out.read_bytes()) < len(seed.encode())


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.one_of(BYTES, TEXTS.map(lambda text: text.encode("utf-8", "surrogatepass"))))
@pytest.mark.usefixtures("marked")
def test_any_text_comes_back(tmp_path, data):
    comes_back(tmp_path, data, "a.txt")


def escaped_in_its_own_way(text, ways):
    """`text` as a JSON string, some code points escaped that need not be."""
    out = []
    for char, way in zip(text, ways, strict=True):
        plain = json.dumps(char, ensure_ascii=way)[1:-1]
        single = way and ord(char) < 0x80 and char.isalpha()
        out.append(f"\\u{ord(char):04X}" if single else plain)
    return '"' + "".join(out) + '"'


RECORDS = st.lists(
    TEXTS.flatmap(
        lambda text: st.tuples(
            st.just(text), st.lists(st.booleans(), min_size=len(text), max_size=len(text))
        )
    ),
    max_size=5,
)


def is_whole(text):
    """Whether no half of a code point is cut from the other: those are refused, see below."""
    return "\ud83d" not in text or "\ude00" not in text


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(records=RECORDS, end=st.sampled_from(["", "\n", "\n\n"]))
@pytest.mark.usefixtures("marked")
def test_any_records_come_back_as_they_were_written(tmp_path, records, end):
    lines = [
        f'{{ "id":{n},\t"text" : {escaped_in_its_own_way(text, ways)}, "x":1e2}}'
        for n, (text, ways) in enumerate(records)
        if is_whole(text)
    ]
    data = "\n".join(lines) + end
    comes_back(tmp_path, data.encode("utf-8", "surrogatepass"), "a.jsonl")


@pytest.mark.usefixtures("marked")
def test_files_changed_in_place_come_back_by_their_own_names(tmp_path):
    texts = {"a.txt": b"Good.\nJUNK a.\n", "b.txt": b"JUNK b.\nGood.\n", "c.txt": b"Good.\n"}
    for name, data in texts.items():
        (tmp_path / name).write_bytes(data)
    paths = [tmp_path / name for name in texts]
    removed = tmp_path / "removed.jsonl"
    assert run("-i", *paths, "--removed", removed).exit_code == 0
    for name in ("a.txt", "b.txt"):
        path = tmp_path / name
        assert path.read_bytes() == b"Good.\n"
        assert run("restore", path, "--removed", removed).stdout_bytes == texts[name]
    done = run("restore", tmp_path / "c.txt", "--removed", removed)
    assert done.exit_code == 2
    assert "several inputs" in done.stderr
    assert "name one with --input" in done.stderr
    assert "nothing was removed is not among them: its output is the input itself" in done.stderr
    unknown = run("restore", tmp_path / "c.txt", "--removed", removed, "--input", "c.txt")
    assert "its output is the input itself" in unknown.stderr
    chosen = run("restore", tmp_path / "c.txt", "--removed", removed, "--input", tmp_path / "b.txt")
    assert chosen.stdout_bytes == texts["b.txt"]


def test_what_several_runs_in_place_removed_comes_back(tmp_path):
    path, removed = tmp_path / "a.txt", tmp_path / "removed.jsonl"
    before = b"One.\nTwo.\nThree.\nFour.\nTwo.\nFive.\n"
    path.write_bytes(before)
    for pattern in ("Two", "^One|Four"):
        assert run("-i", path, "--drop", pattern, "--removed", removed).exit_code == 0
    assert path.read_bytes() == b"Three.\nFive.\n"
    assert run("restore", path, "--removed", removed).stdout_bytes == before
    # A run that is ended before it replaces the file has written its accounts already.
    path.write_bytes(b"Three.\nFive.\n")
    for _ in range(2):
        before_last = path.read_bytes()
        assert run("-i", path, "--drop", "Five", "--removed", removed).exit_code == 0
        path.write_bytes(before_last)
    path.write_bytes(b"Three.\n")
    assert run("restore", path, "--removed", removed).stdout_bytes == before


@pytest.mark.usefixtures("marked")
def test_an_input_is_found_however_its_name_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    texts = {"a.txt": b"Good.\nJUNK a.\n", "b.txt": b"JUNK b.\nGood.\n"}
    for name, data in texts.items():
        (tmp_path / name).write_bytes(data)
    assert run("-i", "a.txt", "./b.txt", "--removed", "removed.jsonl").exit_code == 0
    for name in ("./a.txt", "b.txt"):
        restored = run("restore", name, "--removed", "removed.jsonl").stdout_bytes
        assert restored == texts[name.removeprefix("./")]
    done = run("restore", "-", "--removed", "removed.jsonl", "--input", "./a.txt", stdin=b"Good.\n")
    assert done.stdout_bytes == texts["a.txt"]


def test_runs_in_place_may_each_write_the_name_otherwise(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "a.txt"
    before = b"JUNK one.\nTwo.\nThree.\nFour.\n"
    path.write_bytes(before)
    for name, pattern in (("./*.txt", "JUNK"), (path, "Two"), ("a.txt", "Three")):
        assert run("-i", name, "--drop", pattern, "--removed", "r.jsonl").exit_code == 0
    assert path.read_bytes() == b"Four.\n"
    assert run("restore", "a.txt", "--removed", "r.jsonl").stdout_bytes == before


@pytest.mark.usefixtures("marked")
def test_where_nothing_was_removed_the_output_is_the_input(tmp_path):
    out, removed = cleaned(tmp_path, b"Good.\n", "a.txt")
    assert removed.read_bytes() == b""
    for more in ([], ["--input", tmp_path / "a.txt"]):
        done = run("restore", out, "--removed", removed, *more)
        assert (done.exit_code, done.stdout_bytes) == (0, b"Good.\n")


@pytest.mark.usefixtures("marked")
def test_the_clean_text_can_come_through_a_pipe(tmp_path):
    data = b"Good.\nJUNK.\nGood.\n"
    out, removed = cleaned(tmp_path, data, "a.txt")
    assert run("restore", "-", "--removed", removed, stdin=out.read_bytes()).stdout_bytes == data


@pytest.mark.usefixtures("marked")
@pytest.mark.parametrize("name", ["a.txt", "a.jsonl"])
def test_the_accounts_can_come_through_a_pipe(tmp_path, name):
    data = LINES if name == "a.jsonl" else TEXT
    out, removed = cleaned(tmp_path, data, name)
    done = run("restore", out, "--removed", "-", stdin=removed.read_bytes())
    assert done.stdout_bytes == data
    several = b"".join(removed.read_bytes().replace(b"/a.", b"/" + n + b".") for n in (b"b", b"c"))
    done = run("restore", out, "--removed", "-", stdin=several)
    assert (done.exit_code, done.stdout_bytes) == (2, b"")
    assert "standard input: holds what was removed from several inputs" in done.stderr


# --- what does not belong together ---------------------------------------------------------------

TEXT = b"Good line.\nJUNK line.\nGood again.\nJUNK again.\nThe end.\n"
LINES = b"".join(
    json.dumps({"id": n, "text": f"Good {n}.\nJUNK {n}.\nGood again {n}.\n"}).encode() + b"\n"
    for n in range(4)
)


def refused(folder, out, removed, *more):
    """The message; and nothing is written."""
    done = run("restore", out, "--removed", removed, "-o", folder / "back", *more)
    assert done.exit_code == 1
    assert not (folder / "back").exists()
    return done.stderr


@pytest.mark.usefixtures("marked")
class TestRefused:
    @pytest.mark.parametrize(
        "change",
        [
            lambda data: data.replace(b"Good", b"Bood", 1),
            lambda data: data[:-1],
            lambda data: data + b"x",
            lambda data: data.replace(b"\n", b"\r\n"),
            lambda _: b"",
            lambda _: TEXT,
        ],
        ids=["a letter", "shorter", "longer", "line endings", "empty", "not cleaned"],
    )
    def test_another_clean_text(self, tmp_path, change):
        out, removed = cleaned(tmp_path, TEXT, "a.txt")
        out.write_bytes(change(out.read_bytes()))
        message = refused(tmp_path, out, removed)
        assert message.startswith(f"Error: {out}: ")
        assert "of one and the same run" in message

    @pytest.mark.parametrize(
        ("left_out", "why"),
        [(0, "does not fit this text"), (1, "not the input that they were taken from")],
    )
    def test_a_fragment_missing(self, tmp_path, left_out, why):
        out, removed = cleaned(tmp_path, TEXT, "a.txt")
        lines = removed.read_bytes().splitlines(keepends=True)
        del lines[left_out]
        removed.write_bytes(b"".join(lines))
        assert why in refused(tmp_path, out, removed)

    def test_a_changed_fragment(self, tmp_path):
        out, removed = cleaned(tmp_path, TEXT, "a.txt")
        removed.write_bytes(removed.read_bytes().replace(b"JUNK line", b"JUNK LINE"))
        assert "not the input that they were taken from" in refused(tmp_path, out, removed)

    def test_a_record_changed(self, tmp_path):
        out, removed = cleaned(tmp_path, LINES, "a.jsonl")
        out.write_bytes(out.read_bytes().replace(b"again 2", b"AGAIN 2"))
        assert refused(tmp_path, out, removed).startswith(f"Error: {out}:3: does not belong")

    def test_a_record_missing(self, tmp_path):
        out, removed = cleaned(tmp_path, LINES, "a.jsonl")
        out.write_bytes(b"".join(out.read_bytes().splitlines(keepends=True)[:-1]))
        message = refused(tmp_path, out, removed)
        assert "has 3 lines, and fragments were removed from line 4" in message

    def test_a_record_that_is_none(self, tmp_path):
        out, removed = cleaned(tmp_path, LINES, "a.jsonl")
        out.write_bytes(b"{nonsense\n" * 4)
        assert ":1: is no record to put 1 removed fragments into" in refused(tmp_path, out, removed)

    def test_an_explained_run(self, tmp_path):
        path, out, removed = (tmp_path / name for name in ("a.jsonl", "out.jsonl", "removed"))
        path.write_bytes(LINES)
        run("--explain", path, "-o", out, "--removed", removed)
        assert "written without --explain" in refused(tmp_path, out, removed)

    def test_removed_fragments_out_of_order(self, tmp_path):
        out, removed = cleaned(tmp_path, LINES, "a.jsonl")
        lines = removed.read_bytes().splitlines(keepends=True)
        removed.write_bytes(b"".join(reversed(lines)))
        message = refused(tmp_path, out, removed)
        assert message.startswith(f"Error: {removed}:2: the lines are not in their order: this one")
        assert "of line 3 of the input" in message

    def test_records_on_standard_output_may_be_cut_short(self, tmp_path):
        """They are written one by one, and the third is refused; a file would not be there."""
        out, removed = cleaned(tmp_path, LINES, "a.jsonl")
        out.write_bytes(out.read_bytes().replace(b"again 2", b"AGAIN 2"))
        done = run("restore", out, "--removed", removed)
        assert done.exit_code == 1
        assert done.stdout_bytes == b"".join(LINES.splitlines(keepends=True)[:2])
        assert "may be cut short" in run("restore", "--help").stdout

    def test_two_halves_of_a_code_point_that_met(self, tmp_path):
        data = b'{"text":"Good one \\ud83d\\nJUNK.\\n\\ude00 Good."}\n'
        out, removed = cleaned(tmp_path, data, "a.jsonl")
        # Here a line feed still parts them. If nothing does, the digest does not agree.
        assert run("restore", out, "--removed", removed).stdout_bytes == data

    @pytest.mark.parametrize(
        ("line", "what"),
        [
            (b"{nonsense", "Expecting property name"),
            (b"[]", "list indices"),
            (b"[" * 100_000, "recursion"),
            (b'{"path": "a"}', "no field 'text'"),
            (b'{"text": "a", "start": "x"}', "start is 'x'"),
            (b'{"text": "a", "start": true}', "start is True"),
            (b'{"text": "a", "written": "\\\\"}', "Unterminated string"),
            (b"\xff", "invalid start byte"),
            (b'{"text":"a","start":0,"end":1,"score":1%s}' % (b"0" * 400), "too large"),
        ],
    )
    def test_what_is_no_account_of_a_deletion(self, tmp_path, line, what):
        out, removed = cleaned(tmp_path, TEXT, "a.txt")
        removed.write_bytes(line + b"\n")
        message = refused(tmp_path, out, removed)
        assert message.startswith(f"Error: {removed}:1: not an account of a deletion")
        assert what in message

    def test_half_a_code_point_that_no_input_has(self, tmp_path):
        out, removed = cleaned(tmp_path, TEXT, "a.txt")
        line = json.loads(removed.read_bytes().splitlines()[0])
        line["text"] = "\ud800" * len(line["text"])
        removed.write_text(json.dumps(line) + "\n")
        assert "holds half a code point" in refused(tmp_path, out, removed)

    def test_another_text_field(self, tmp_path):
        out, removed = cleaned(tmp_path, LINES, "a.jsonl")
        assert "has no field 'body'" in refused(tmp_path, out, removed, "--text-field", "body")

    def test_its_own_inputs_are_not_written_over(self, tmp_path):
        out, removed = cleaned(tmp_path, TEXT, "a.txt")
        before = out.read_bytes(), removed.read_bytes()
        for target in (out, removed):
            done = run("restore", out, "--removed", removed, "-o", target)
            assert done.exit_code == 2
            assert "is an input of the same run; use another name\n" in done.stderr
        assert (out.read_bytes(), removed.read_bytes()) == before

    @pytest.mark.parametrize("more", [[], ["-o", "-"]])
    def test_nor_added_to_by_standard_output(self, tmp_path, more):
        """It would be read for ever, growing as it is read."""
        out, removed = cleaned(tmp_path, LINES, "a.jsonl")
        before = out.read_bytes()
        command = [sys.executable, "-m", "cleaner", "restore", out, "--removed", removed, *more]
        with out.open("ab") as stream:
            done = subprocess.run(
                command, check=False, stdout=stream, stderr=subprocess.PIPE, timeout=60
            )
        assert (done.returncode, out.read_bytes()) == (2, before)
        assert b"an input of the same run" in done.stderr

    def test_a_missing_file(self, tmp_path):
        out, removed = cleaned(tmp_path, TEXT, "a.txt")
        assert "no such file" in refused(tmp_path, tmp_path / "none", removed)
        assert "no such file" in refused(tmp_path, out, tmp_path / "none")


# --- other formats -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("suffix", "data"),
    [
        ("txt.gz", b"A good line.\nJUNK line.\n"),
        ("jsonl.gz", b'{"text": "A good line.\\nJUNK line."}\n'),
    ],
)
@pytest.mark.usefixtures("marked")
def test_what_was_compressed_comes_back(tmp_path, suffix, data):
    out, removed = cleaned(tmp_path, gzip.compress(data, mtime=0), f"a.{suffix}")
    back = tmp_path / f"back.{suffix}"
    assert run("restore", out, "--removed", removed, "-o", back).exit_code == 0
    assert gzip.decompress(back.read_bytes()) == data
    assert run("restore", out, "--removed", removed).stdout_bytes == data


@pytest.mark.usefixtures("marked")
def test_parquet_is_refused_with_a_reason(tmp_path):
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "in.parquet"
    parquet.write_table(pa.table({"text": ["A good line.\nJUNK line."]}), path)
    for name in ("out.parquet", "out.jsonl"):
        out, removed = tmp_path / name, tmp_path / "removed.jsonl"
        assert run(path, "-o", out, "--removed", removed).exit_code == 0
        done = run("restore", out, "--removed", removed)
        assert (done.exit_code, done.stdout) == (2, "")
        assert "what was removed from Parquet is not put back" in done.stderr
