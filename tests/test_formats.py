import json
import stat
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleaner import CleanResult, Document, Finding, InputError, OptionError, OutputError, render
from cleaner.formats import (
    AtomicFile,
    check_target,
    decode,
    dump_json,
    encode,
    source,
)
from cleaner.formats.jsonl import parse_record
from cleaner.formats.sinks import lock

ANY = st.text(st.characters(codec=None))


def record(line, **options):
    return parse_record(line, name="a.jsonl", number=17, **options)


def cut(text, *spans):
    return CleanResult(text, tuple(Finding(a, b, text[a:b], 0.9, "off-topic") for a, b in spans))


@given(st.binary())
def test_bytes_come_back_whatever_they_are(data):
    assert encode(decode(data)) == data


# --- records -------------------------------------------------------------------------------------


def test_reads_text_title_and_id():
    read = record(b'{"id": 7, "title": "T", "text": "a\\nb"}\n')
    assert read.document == Document("a\nb", "T", "7")
    assert read.id == 7
    assert read.place == "a.jsonl:17"


def test_other_field_names():
    read = record(b'{"body": "a", "headline": "T"}', text_field="body", title_field="headline")
    assert read.document == Document("a", "T", "a.jsonl:17")


@pytest.mark.parametrize("title", [b"null", b"3", b'""', b"[1]", b"NaN"])
def test_a_title_that_is_none_is_passed_over(title):
    assert record(b'{"text": "a", "title": ' + title + b"}").document.title is None


AWKWARD = [
    b'{"text":"abcdef","n":123456789012345678901234567890}\n',
    b'{ "z" : 1.0 , "text" :"abcdef", "a": 1e400, "b": -0.0, "c": 1E+2 } \r\n',
    b'{"text": "no", "x": 1, "text": "abcdef", "x": 2}',
    b'\xef\xbb\xbf{"text": "abcdef", "n": NaN}\n',
    b'\t{"a": "\\ud800", "text": "abcdef", "\\u0061": null}\n',
    b'{"a": "\xff\xfe", "text": "abcdef"}\n',
    b'{"a": {"text": "no", "b": [1, {"c": []}]}, "text": "\\u0061b\\u0063def", "e": "\\/"}\n',
    b'{"n": ' + b"9" * 5000 + b', "text": "abcdef"}\n',
]


@pytest.mark.parametrize("line", AWKWARD)
def test_all_but_the_text_stays_as_it_was_written(line):
    read = record(line)
    assert read.document.text == "abcdef"
    assert read.cleaned(CleanResult("abcdef")) == line
    changed = read.cleaned(cut("abcdef", (1, 3), (5, 6)))
    before, _, after = line.rpartition(b'def"')
    assert changed.endswith(b'de"' + after)
    assert changed.startswith(before[: before.rfind(b'"') + 1])
    assert record(changed).document.text == "ade"


@given(ANY, st.data(), st.booleans())
def test_cuts_in_the_text_as_it_is_written(text, data, ascii_only):
    line = json.dumps({"a": 1.0, "text": text, "b": "\u00e9"}, ensure_ascii=ascii_only)
    raw = line.encode("utf-8", "surrogatepass") if not ascii_only else line.encode()
    read = record(raw)
    text = read.document.text
    points = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=8)))
    result = cut(text, *zip(points[::2], points[1::2], strict=False))
    again = record(read.cleaned(result)).document.text
    # Halves of a pair that a cut brings together are one code point to every JSON parser.
    joined = json.loads(json.dumps(result.text))
    assert joined in (again, json.loads(json.dumps(again)))


def test_escapes_of_what_is_kept_stay():
    line = b'{"text": "\\u00e9\\/ \\ud83d\\ude00JUNK\\n\\ud83d\\ude00"}'
    text = json.loads(line)["text"]
    start = text.index("JUNK")
    assert record(line).cleaned(cut(text, (start, start + 5))) == (
        b'{"text": "\\u00e9\\/ \\ud83d\\ude00\\ud83d\\ude00"}'
    )


def test_explained():
    line = b'{"text": "abcdef", "z": 1.0}\n'
    out = json.loads(record(line).cleaned(cut("abcdef", (1, 3)), explain=True))
    assert list(out) == ["text", "z", "removed", "judged"]
    assert out["text"] == "adef"
    assert out["removed"][0] == {
        "start": 1, "end": 3, "text": "bc", "score": 0.9, "reason": "off-topic", "evidence": {},
    }  # fmt: skip
    unjudged = CleanResult("abcdef", judged=False, why="too short")
    out = json.loads(record(line).cleaned(unjudged, explain=True))
    assert (out["removed"], out["judged"], out["why"]) == ([], False, "too short")


def test_explanations_of_an_earlier_run_are_replaced():
    line = b'{ "why":"x", "removed": [1], "n": 1.0 ,  "text": "abc", "judged": false }\n'
    out = record(line).cleaned(cut("abc", (0, 1)), explain=True)
    assert out.startswith(b'{ "n": 1.0 ,  "text": "bc","removed":[{')
    assert out.endswith(b'],"judged":true }\n')
    assert record(out).cleaned(cut("bc"), explain=True).startswith(b'{ "n": 1.0 ,  "text": "bc",')


def test_explains_bytes_that_are_no_utf8():
    out = record(b'{"text": "a\xffb"}').cleaned(cut("a\udcffb", (1, 2)), explain=True)
    assert json.loads(out)["removed"][0]["text"] == "\udcff"
    assert json.loads(out)["text"] == "ab"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b'{"text": "a"', "not valid JSON (Expecting ',', column 13)"),
        (b'{"text": "a",}', "not valid JSON (Expecting property name in double quotes, column 14)"),
        (b'{"text" "a"}', "not valid JSON (Expecting ':', column 9)"),
        (b'{"text": }', "not valid JSON (Expecting value, column 10)"),
        (b'{"text": "a"} {}', "not valid JSON (Extra data, column 15)"),
        (b'{"text": "abc\n', "not valid JSON (Unterminated string, column 14)"),
        (b'{"text": "a\tb"}', "not valid JSON (Invalid control character, column 12)"),
        (b"nonsense", "not valid JSON (Expecting value, column 1)"),
        (b'"text"', "not a JSON object"),
        (b"[1]", "not a JSON object"),
        (b"{}", "has no field 'text'"),
        (b'{"text": null}', "the field 'text' is null"),
        (b'{"text": 3}', "the field 'text' is not a string"),
        (b'{"text": "a", "text": ["a"]}', "the field 'text' is not a string"),
        (b'{"text": ' + b"[" * 200_000, "nested too deeply"),
    ],
)
def test_lines_that_cannot_be_used(line, message):
    with pytest.raises(InputError) as caught:
        record(line)
    assert str(caught.value).startswith("a.jsonl:17: ")
    assert message in str(caught.value)
    assert str(caught.value).endswith("mend it, or see --on-error to go on")


def test_dump_json():
    assert dump_json({"a": "\u00e9"}) == '{"a":"\u00e9"}'.encode()
    assert dump_json({"a": "\ud800", "n": 1 << 70}) == b'{"a":"\\ud800","n":1180591620717411303424}'
    for text in ("a", "\ud800"):  # which two libraries write
        value = {"text": text, "numbers": [float("nan"), float("inf"), 0.5]}
        assert json.loads(dump_json(value))["numbers"] == [None, None, 0.5]


# --- sources -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.txt", "text"),
        ("a.jsonl", "jsonl"),
        ("a.NDJSON", "jsonl"),
        ("-", "text"),
        ("jsonl", "text"),
    ],
)
def test_format_by_suffix(name, kind):
    assert source(name).format == kind
    assert source(name, "jsonl").format == "jsonl"


@given(st.lists(st.binary(max_size=20)), st.integers(1, 9))
def test_lines_are_the_lines_whatever_the_chunks(tmp_path_factory, lines, size):
    data = b"{" + b"\n".join(lines)
    path = tmp_path_factory.mktemp("lines") / "a.jsonl"
    path.write_bytes(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cleaner.formats.sources._CHUNK", size)
        item = source(str(path))
        with item.open() as stream:
            pieces = [piece for piece in item.lines(stream) if piece]
    assert b"".join(pieces) == data
    assert all(piece.endswith(b"\n") for piece in pieces[:-1])


@pytest.mark.parametrize(
    ("data", "what"), [(b"\x1f\x8b\x08", "gzip"), (b"PAR1\x00", "Parquet"), (b"%PDF-1.7\n", "PDF")]
)
def test_what_is_no_text_is_not_read_as_lines(tmp_path, data, what):
    path = tmp_path / "a.jsonl"
    path.write_bytes(data)
    item = source(str(path))
    with item.open() as stream, pytest.raises(InputError, match=f"looks like {what}, not like"):
        list(item.lines(stream))


# --- sinks ---------------------------------------------------------------------------------------


def write(path, data=b"new"):
    with AtomicFile(path) as file:
        file.write(data)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_atomic_file_is_there_at_the_end_only(tmp_path):
    path = tmp_path / "a"
    with AtomicFile(path) as file:
        file.write(b"new")
        assert not path.exists()
    assert path.read_bytes() == b"new"
    assert names(tmp_path) == ["a"]


def test_atomic_file_after_an_error(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"old")

    def stop():
        with AtomicFile(path) as file:
            file.write(b"new")
            raise KeyError

    with pytest.raises(KeyError):
        stop()
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["a"]


def test_what_another_run_has_finished_is_not_emptied(tmp_path, monkeypatch):
    path = tmp_path / "a"
    other = AtomicFile(path)
    other.__enter__()
    other.write(b"whole")
    seen = []

    def lock_when_the_other_has_ended(stream):
        if not seen:  # opened while the other run was going, locked when it has ended
            other.__exit__(None)
        seen.append(path.read_bytes())
        return lock(stream)

    monkeypatch.setattr("cleaner.formats.sinks.lock", lock_when_the_other_has_ended)
    with AtomicFile(path) as file:
        assert path.read_bytes() == b"whole"
        file.write(b"new")
    assert (seen, path.read_bytes()) == ([b"whole"] * 2, b"new")


def test_atomic_file_discarded(tmp_path):
    with AtomicFile(tmp_path / "a") as file:
        file.write(b"new")
        file.discard()
    assert names(tmp_path) == []


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o755])
def test_atomic_file_keeps_the_mode(tmp_path, mode):
    path = tmp_path / "a"
    path.write_bytes(b"old")
    path.chmod(mode)
    write(path)
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_atomic_file_follows_a_link(tmp_path):
    (tmp_path / "folder").mkdir()
    target = tmp_path / "folder" / "a"
    target.write_bytes(b"old")
    link = tmp_path / "link"
    link.symlink_to(target)
    write(link)
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


@pytest.mark.parametrize(
    ("name", "reason"),
    [("no/a", "make the folder first"), (".", "Is a directory"), ("a" * 300, "too long")],
)
def test_atomic_file_where_there_can_be_none(tmp_path, name, reason):
    with pytest.raises(OutputError, match=reason):
        write(tmp_path / name)
    assert names(tmp_path) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("size", [1, 1_000_000])
def test_atomic_file_on_a_full_disk(size):
    with pytest.raises(OutputError, match=r"^/dev/full: cannot be written \(No space left"):
        write("/dev/full", b"x" * size)


def test_output_over_an_input_is_refused(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    (tmp_path / "hard").hardlink_to(path)
    (tmp_path / "soft").symlink_to(path)
    for name in ("a.txt", "hard", "soft", "../" + tmp_path.name + "/a.txt"):
        with pytest.raises(OptionError, match="is an input of the same run"):
            check_target(str(tmp_path / name), [source(str(path))], option="--output")
    check_target(str(tmp_path / "b.txt"), [source(str(path))], option="--output")


# --- rendering -----------------------------------------------------------------------------------

LINES = st.lists(st.sampled_from(["a", "bc", "d e f", "", "-x", "+y", "@@"]), max_size=30)


@given(LINES, st.booleans(), st.data())
def test_a_diff_is_one_that_patch_takes(tmp_path_factory, lines, final, data):
    text = "\n".join(lines) + "\n" * final
    points = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=8)))
    result = cut(text, *zip(points[::2], points[1::2], strict=False))
    made = render.diff(result, "a.txt")
    assert bool(made) == result.changed
    if made:
        folder = tmp_path_factory.mktemp("patch")
        (folder / "a.txt").write_text(text)
        command = ["patch", "--batch", "--silent", "--fuzz=0", "--posix", "a.txt"]
        subprocess.run(command, input=made.encode(), cwd=folder, check=True)
        left = (folder / "a.txt").read_text() if (folder / "a.txt").exists() else ""
        assert left == result.text


def test_a_diff():
    text = "".join(f"{n}\n" for n in range(1, 10))
    made = render.diff(cut(text, (8, 10)), "a.txt")
    assert made == "--- a.txt\n+++ a.txt\n@@ -2,7 +2,6 @@\n 2\n 3\n 4\n-5\n 6\n 7\n 8\n"
    assert "\x1b[31m-5\x1b[0m\n" in render.coloured(made)
    assert r"\x1b[2J5" in render.coloured(made.replace("5", "\x1b[2J5"))


def test_explanation_gives_the_line_as_an_editor_counts_it():
    text = "one\r\ntwo\x0ctwo\n\n  \x1b[31mJUNK\n"
    result = cut(text, (text.index("\n\n") + 1, len(text)))
    assert list(render.explanation(result, "a.txt")) == [
        "a.txt:4: removed (off-topic, 0.90): \\x1b[31mJUNK"
    ]
