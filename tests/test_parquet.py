"""Parquet, as pyarrow reads and writes it."""

import datetime as dt
import decimal
import json
from pathlib import Path

import pytest

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

from test_corpora import LEFT, TEXT, contents, done, failed, names, numbered, process, run  # noqa: E402

from cleaner.formats.parquet import Rows, json_line, packed_rows, parse_rows  # noqa: E402

pytestmark = pytest.mark.usefixtures("marked")


def table(count=100, kind=None):
    kind = kind or pa.string()
    return pa.table(
        {
            "id": [f"d{n}" for n in range(count)],
            "meta": [{"a": [n, n + 1], "b": str(n)} if n % 3 else None for n in range(count)],
            "text": pa.array([TEXT.format(n) for n in range(count)], pa.string()).cast(kind),
            "title": ["A title"] * count,
            "when": pa.array([dt.datetime(2020, 1, 2)] * count, pa.timestamp("ns", "UTC")),  # noqa: DTZ001
            "price": [decimal.Decimal("1.10")] * count,
            "bytes": pa.array([b"\xff\x00"] * count),
            "desk": pa.array(["x", "y"] * (count // 2)).dictionary_encode(),
            "nothing": pa.nulls(count, pa.int8()),
        }
    ).replace_schema_metadata({"made by": "a test"})


def write(path, made=None, **options):
    made = table() if made is None else made
    pq.write_table(made, path, **{"row_group_size": 30, **options})
    return pq.read_table(path)


def layout(path):
    """Rows and codecs of each row group."""
    metadata = pq.ParquetFile(path).metadata
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    columns = range(metadata.num_columns)
    return [(g.num_rows, [g.column(c).compression for c in columns]) for g in groups]


@pytest.mark.parametrize("kind", ["string", "large_string", "string_view", "dictionary"])
def test_all_but_the_text_stays(tmp_path, kind):
    types = {"dictionary": pa.dictionary(pa.int32(), pa.string())}
    types |= {name: getattr(pa, name)() for name in ("string", "large_string", "string_view")}
    path, out = tmp_path / "a.parquet", tmp_path / "out.parquet"
    codecs = {"id": "gzip", "text": "zstd", "title": "none", "meta.b": "brotli"}
    before = write(path, table(kind=types[kind]), compression=codecs)
    done(path, "-o", out)
    after = pq.read_table(out)
    assert after.schema.equals(before.schema, check_metadata=True)
    assert after.column("text").to_pylist() == [LEFT.format(n) for n in range(100)]
    assert after.drop_columns(["text"]).equals(before.drop_columns(["text"]))
    assert layout(out) == layout(path)


@pytest.mark.parametrize("element", ["item", "element", "array"])
def test_lists_keep_the_name_of_their_elements_and_their_codec(tmp_path, element):
    path, out = tmp_path / "a.parquet", tmp_path / "out.parquet"
    kind = pa.list_(pa.field(element, pa.int64()))
    made = pa.table({"text": [TEXT.format(0)], "l": pa.array([[1, 2]], kind), "n": [1]})
    pq.write_table(made, path, compression="zstd", use_compliant_nested_type=False)
    done(path, "-o", out)
    columns = [[column.path for column in pq.ParquetFile(name).schema] for name in (path, out)]
    assert columns[0] == columns[1] == ["text", f"l.list.{element}", "n"]
    assert layout(out) == layout(path) == [(1, ["ZSTD"] * 3)]


def test_nanoseconds_of_the_old_type_stay(tmp_path):
    path, out = tmp_path / "a.parquet", tmp_path / "out.parquet"
    times = pa.array([1_577_934_245_123_456_789], pa.timestamp("ns"))
    made = pa.table({"text": [TEXT.format(0)], "when": times})
    pq.write_table(made, path, use_deprecated_int96_timestamps=True)
    done(path, "-o", out)
    assert pq.ParquetFile(out).schema.column(1).physical_type == "INT96"
    assert pq.read_table(out).column("when").equals(made.column("when"))


def test_times_of_two_types_do_not_go_into_one_file(tmp_path):
    times = [dt.datetime(2020, 1, 2)]  # noqa: DTZ001
    for name in ("a", "b"):
        made = pa.table({"text": [TEXT.format(0)], "when": pa.array(times, pa.timestamp("ns"))})
        old = {"use_deprecated_int96_timestamps": name == "b"}
        pq.write_table(made, tmp_path / f"{name}.parquet", **old)
    both = [tmp_path / "a.parquet", tmp_path / "b.parquet"]
    failed(run(*both, "-o", tmp_path / "out.parquet"), "of different schemas do not go into one")


@pytest.mark.parametrize("kind", ["INT96", "INT64"])
def test_times_keep_their_type_and_value(tmp_path, kind):
    """INT96 is what Spark writes; as nanoseconds it would not reach the year 9999."""
    path, out = tmp_path / "a.parquet", tmp_path / "out.parquet"
    times = [dt.datetime(9999, 12, 31), dt.datetime(2020, 1, 2, 3, 4, 5, 6)]  # noqa: DTZ001
    made = pa.table({"text": [TEXT.format(n) for n in (0, 1)], "until": times})
    pq.write_table(made, path, use_deprecated_int96_timestamps=kind == "INT96")
    done(path, "-o", out)
    read = pq.ParquetFile(out, coerce_int96_timestamp_unit="us")
    assert read.schema.column(1).physical_type == kind
    assert read.read().column("until").to_pylist() == times
    done(path, "-o", tmp_path / "out.jsonl")
    assert b'"9999-12-31' in (tmp_path / "out.jsonl").read_bytes()


def test_a_few_texts_that_stand_for_many_are_taken_in_pieces(tmp_path, monkeypatch):
    path, out = tmp_path / "a.parquet", tmp_path / "out.parquet"
    write(path, pa.table({"text": [TEXT.format(7)] * 5_000}), row_group_size=5_000)
    assert path.stat().st_size < 10_000
    monkeypatch.setattr("cleaner.formats.parquet._GROUP", 60_000)
    done(path, "-o", out)
    assert len(layout(out)) > 1
    assert pq.read_table(out).column("text").to_pylist() == [LEFT.format(7)] * 5_000


def test_spark_reads_the_columns_of_an_explanation(tmp_path):
    path, out = tmp_path / "a.parquet", tmp_path / "out.parquet"
    listed = "org.apache.spark.sql.parquet.row.metadata"
    made = pa.table({"text": [TEXT.format(0)]}).replace_schema_metadata({listed: "{}", "a": "b"})
    pq.write_table(made, path)
    done(path, "-o", out)
    assert pq.read_schema(out).metadata == made.schema.metadata
    done(path, "-o", out, "--explain")
    assert pq.read_schema(out).metadata == {b"a": b"b"}  # which would name the text alone


def test_codecs_stay_with_their_columns_whatever_an_explanation_replaces(tmp_path):
    path, out = tmp_path / "a.parquet", tmp_path / "out.parquet"
    made = pa.table({"removed": ["x"], "text": [TEXT.format(0)], "image": [b"y"]})
    pq.write_table(made, path, compression={"removed": "gzip", "text": "zstd", "image": "none"})
    done(path, "-o", out, "--explain")
    assert layout(out)[0][1][:2] == ["ZSTD", "UNCOMPRESSED"]


def test_the_same_bytes_with_workers(tmp_path):
    path = tmp_path / "a.parquet"
    write(path, pa.table({"text": [TEXT.format(n) + "x" * 3_000 for n in range(800)]}))
    for jobs in (1, 2):
        made = [path, f"-j{jobs}", "--drop", "JUNK", "-o", tmp_path / f"{jobs}.parquet"]
        done(*made, "--removed", tmp_path / str(jobs), how=process)
    assert (tmp_path / "1.parquet").read_bytes() == (tmp_path / "2.parquet").read_bytes()
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()


def test_large_row_groups_are_taken_in_pieces(tmp_path, monkeypatch):
    monkeypatch.setattr("cleaner.formats.parquet._GROUP", 2_000)
    path, out = tmp_path / "a.parquet", tmp_path / "out.parquet"
    before = write(path, row_group_size=100)
    done(path, "-o", out)
    assert [rows for rows, _ in layout(out)] == [layout(out)[0][0]] * (len(layout(out)) - 1) + [
        layout(out)[-1][0]
    ]
    assert len(layout(out)) > 3
    after = pq.read_table(out)
    assert after.drop_columns(["text"]).equals(before.drop_columns(["text"]))
    assert after.column("text").to_pylist() == [LEFT.format(n) for n in range(100)]


def test_a_file_without_rows(tmp_path):
    path, out = tmp_path / "a.parquet", tmp_path / "out.parquet"
    before = write(path, table(0))
    done(path, "-o", out)
    assert pq.read_table(out).equals(before)


def test_standard_input_and_output(tmp_path):
    path = tmp_path / "a.parquet"
    write(path)
    done(path, "-o", tmp_path / "out.parquet")
    made = done("--format", "parquet", stdin=path.read_bytes())
    assert made == (tmp_path / "out.parquet").read_bytes()


def test_in_place_and_removed(tmp_path):
    path, gone = tmp_path / "a.parquet", tmp_path / "gone.jsonl"
    write(path)
    done(path, "-i", "--removed", gone)
    assert pq.read_table(path).column("text")[7].as_py() == LEFT.format(7)
    lines = [json.loads(line) for line in gone.read_text().splitlines()]
    assert [(line["path"], line["row"], line["document"]) for line in lines[:2]] == [
        (str(path), 1, "d0"),
        (str(path), 2, "d1"),
    ]
    before = path.read_bytes()
    done(path, "-i")
    assert path.read_bytes() == before


def test_rows_among_the_accounts_are_no_hindrance_to_lines(tmp_path):
    folder, gone = tmp_path / "in", tmp_path / "gone.jsonl"
    folder.mkdir()
    write(folder / "a.parquet")
    (folder / "b.jsonl").write_bytes(numbered(5))
    done(folder, "-i", "--removed", gone)
    back = ["restore", folder / "b.jsonl", "--removed", gone, "--input"]
    assert done(*back, folder / "b.jsonl") == numbered(5)
    failed(run(*back, folder / "a.parquet"), "removed from Parquet is not put back", status=2)


def test_explained(tmp_path):
    path, out = tmp_path / "a.parquet", tmp_path / "out.parquet"
    before = write(path)
    done(path, "-o", out, "--explain")
    after = pq.read_table(out)
    assert after.schema.names == [*before.schema.names, "removed", "judged", "why"]
    assert after.schema.metadata == before.schema.metadata
    for text, row in zip(before.column("text").to_pylist(), after.to_pylist(), strict=True):
        gone = row["removed"][0]
        assert text[: gone["start"]] + text[gone["end"] :] == row["text"]
        assert (gone["text"], gone["evidence"], row["judged"]) == (
            "JUNK line.\n", [{"name": "a", "value": 0.5}], True,
        )  # fmt: skip
    paths = [column.path for column in pq.ParquetFile(out).schema]
    assert "removed.list.element.start" in paths
    done(out, "-o", tmp_path / "again.parquet", "--explain")
    assert pq.read_table(tmp_path / "again.parquet").schema.equals(after.schema)


def test_the_columns_of_an_explanation_are_the_same_whatever_the_records(tmp_path):
    schemas = []
    for number, text in enumerate([TEXT, LEFT, ""]):
        path, out = tmp_path / f"{number}.jsonl", tmp_path / f"{number}.parquet"
        path.write_bytes(numbered(2, text))
        done(path, "-o", out, "--explain")
        schemas.append(pq.read_table(out).schema)
    write(tmp_path / "a.parquet", pq.read_table(out).drop_columns(["removed", "judged", "why"]))
    done(tmp_path / "a.parquet", "-o", out, "--explain")
    assert [schema.equals(schemas[0]) for schema in schemas] == [True] * 3
    assert pq.read_table(out).schema.equals(schemas[0])
    assert schemas[0].names == ["id", "text", "n", "removed", "judged", "why"]
    first = pq.read_table(tmp_path / "0.parquet").to_pylist()[0]
    assert first["removed"][0]["evidence"] == [{"name": "a", "value": 0.5}]
    assert first["why"] is None


# --- other formats -------------------------------------------------------------------------------


def test_to_jsonl(tmp_path):
    path, out = tmp_path / "a.parquet", tmp_path / "out.jsonl.gz"
    write(path)
    done(path, "-o", out)
    first = done(out).splitlines()[0]
    assert json.loads(first) == {
        "id": "d0", "meta": None, "text": LEFT.format(0), "title": "A title",
        "when": "2020-01-02T00:00:00.000000000Z", "price": "1.10", "bytes": "/wA=", "desk": "x",
        "nothing": None,
    }  # fmt: skip


def test_from_jsonl(tmp_path):
    path, out = tmp_path / "a.jsonl", tmp_path / "out.parquet"
    late = b'{"id": 3, "text": "x", "late": {"a": ["2020-01-01"]}, "n": 1.5}\n\n'
    path.write_bytes(numbered(100) + late)
    done(path, "-o", out)
    rows = pq.read_table(out).to_pylist()
    assert rows[1] == {"id": 1, "text": LEFT.format(1), "n": 1.0, "late": None}
    assert rows[-1]["late"] == {"a": ["2020-01-01"]}
    assert len(rows) == 101


def test_from_text(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_text(TEXT.format(1))
    done(tmp_path / "in", "-o", tmp_path / "all.parquet")
    assert pq.read_table(tmp_path / "all.parquet").to_pylist() == [
        {"id": str(tmp_path / "in" / "a.txt"), "text": LEFT.format(1)}
    ]
    done(tmp_path / "in", "-o", tmp_path / "out", "--output-format", "parquet")
    assert names(tmp_path / "out") == ["a.parquet"]


@pytest.mark.parametrize("value", ['"one"', "[1]", "{}", "true"])
def test_a_field_of_two_types(tmp_path, value):
    path, out = tmp_path / "a.jsonl", tmp_path / "out.parquet"
    path.write_bytes(numbered(2) + b'\n{"text": "a", "n": [' + value.encode() + b"]}\n")
    failed(run(path, "-o", out), f"{path}:4: the field 'n' does not fit into one table", "jsonl")
    assert not out.exists()


@pytest.mark.parametrize(
    "values",
    [("1.5", "true"), ("true", "1.5"), ("[1.5]", "[true]"), ('{"a": [1]}', '{"a": [1.5, false]}')],
)
def test_a_boolean_becomes_no_number(tmp_path, values):
    path, out = tmp_path / "a.jsonl", tmp_path / "out.parquet"
    path.write_bytes(b"".join(b'{"text": "a", "n": %b}\n' % value.encode() for value in values))
    failed(run(path, "-o", out), f"{path}:2: the field 'n' does not fit into one table", "jsonl")
    path.write_bytes(b'{"text": "a", "n": [1.5], "b": true}\n{"text": "b", "n": [2], "b": false}\n')
    done(path, "-o", out)
    assert [(row["n"], row["b"]) for row in pq.read_table(out).to_pylist()] == [
        ([1.5], True),
        ([2.0], False),
    ]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b'{"text": "a", "x": "\xff"}\n', "holds bytes that are no UTF-8"),
        (b'{"text": "a", "x": ["\\ud800"]}\n', "holds bytes that are no UTF-8"),
        (b'{"text": "a", "n": ' + b"9" * 30 + b"}\n", "holds an integer beyond signed 64 bits"),
        (b'{"text": "a", "n": ' + b"9" * 5_000 + b"}\n", "holds an integer beyond signed 64 bits"),
        (b'{"text": "a", "n": ' + b"[" * 24 + b"]" * 24 + b"}\n", "holds values in more than 24"),
        (b'{"text": "a", "n": ' + b"[" * 500 + b"]" * 500 + b"}\n", "holds values in more"),
    ],
)
def test_records_that_are_no_row(tmp_path, line, problem):
    path, out = tmp_path / "a.jsonl", tmp_path / "out.parquet"
    path.write_bytes(numbered(2) + line + numbered(1))
    failed(run(path, "-o", out), f"{path}:3: {problem}", "use --on-error skip")
    assert not out.exists()
    _, _, shown = run(path, "-o", out, "--on-error", "skip")
    assert f"{path}:3: {problem}" in shown
    assert ": left out\n" in shown
    assert pq.read_table(out).num_rows == 3


def test_objects_without_a_field_are_null(tmp_path):
    path, out = tmp_path / "a.jsonl", tmp_path / "out.parquet"
    path.write_bytes(b'{"text": "a", "x": {}, "y": [{}]}\n{"text": "a", "x": {"b": 1}, "z": {}}\n')
    done(path, "-o", out)
    assert pq.read_table(out).to_pylist() == [
        {"text": "a", "x": None, "y": [None], "z": None},
        {"text": "a", "x": {"b": 1}, "y": None, "z": None},
    ]


def test_no_records_are_a_table_that_can_be_read(tmp_path):
    path, out = tmp_path / "a.jsonl", tmp_path / "out.parquet"
    path.write_bytes(b"")
    done(path, "-o", out, "--text-field", "body")
    assert pq.read_table(out).schema == pa.schema([("body", pa.string())])


def test_no_temporary_folder(tmp_path, monkeypatch):
    def nowhere():
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.setattr("cleaner.formats.parquet.tempfile.TemporaryFile", nowhere)
    monkeypatch.setattr("cleaner.formats.sinks.tempfile.gettempdir", nowhere)
    path, out = tmp_path / "a.jsonl", tmp_path / "out.parquet"
    path.write_bytes(numbered(3))
    failed(run(path, "-o", out), "a temporary file cannot be written (No usable", "in TMPDIR")


def test_compressed_parquet_is_refused(tmp_path):
    path = tmp_path / "a.parquet.gz"
    path.write_bytes(b"")
    failed(run(path), "a compressed Parquet file cannot be read", "unpack it", status=2)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_temporary_disk(tmp_path, monkeypatch):
    path, out = tmp_path / "a.jsonl", tmp_path / "out.parquet"
    path.write_bytes(numbered(3))
    with Path("/dev/full").open("wb", 0) as full:
        monkeypatch.setattr("cleaner.formats.parquet.tempfile.TemporaryFile", lambda: full)
        failed(run(path, "-o", out), "a temporary file cannot be written (No space left", "TMPDIR")
    assert names(tmp_path) == ["a.jsonl"]


def test_formats_mixed_in_one_file(tmp_path):
    folder, out = tmp_path / "in", tmp_path / "out.parquet"
    folder.mkdir()
    (folder / "a.txt").write_text(TEXT.format(1))
    (folder / "b.jsonl").write_bytes(b'{"id": "x", "text": "a", "n": 1}\n')
    write(folder / "c.parquet", table(2))
    done(folder, "-o", out)
    rows = pq.read_table(out).to_pylist()
    assert [row["id"] for row in rows] == [str(folder / "a.txt"), "x", "d0", "d1"]
    assert rows[-1]["text"] == LEFT.format(1)
    made = run(*sorted(folder.iterdir()), "-o", tmp_path / "out")
    failed(made, "jsonl and parquet and text do not go into one file as they are", status=2)


def test_parquet_under_the_name_of_something_else(tmp_path):
    path = tmp_path / "a.parquet"
    write(path)
    for name in ("a.json", "a.csv", "a.gz"):
        made = run(path, "-o", tmp_path / name)
        failed(made, f"{name} would be Parquet, as {path} is; end the name with", status=2)
    failed(run(path, "-o", tmp_path / "a.txt"), f"{path} cannot become text", status=2)
    done(path, "-o", tmp_path / "a.pq", "--output-format", "parquet")
    done(path, "-o", tmp_path / "a")
    assert (tmp_path / "a.pq").read_bytes() == (tmp_path / "a").read_bytes()


def test_times_and_numbers_that_json_has_not(tmp_path):
    path, out = tmp_path / "a.parquet", tmp_path / "out.jsonl"
    when = pa.array([0], pa.int64())
    columns = {
        "text": ["a"],
        "there": when.cast(pa.timestamp("ms", "+05:30")),
        "naive": when.cast(pa.timestamp("ms")),
        "within": pa.array([[dt.datetime(2020, 1, 2)]], pa.list_(pa.timestamp("us"))),  # noqa: DTZ001
        "nan": [[float("nan"), float("inf"), 1.5]],
        "broken": pa.array([b"\xed\xa0\x80"], pa.binary()),
        "lasts": pa.array([-5_250], pa.duration("ms")),
        "longest": pa.array([[dt.timedelta(days=1, microseconds=1)]], pa.list_(pa.duration("us"))),
    }
    write(path, pa.table(columns))
    done(path, "-o", out)
    expected = {
        "text": "a", "there": "1970-01-01T05:30:00.000+05:30", "naive": "1970-01-01T00:00:00.000",
        "within": ["2020-01-02T00:00:00"], "nan": [None, None, 1.5], "broken": "7aCA",
        "lasts": "-PT5.25S", "longest": ["PT86400.000001S"],
    }  # fmt: skip
    assert json.loads(out.read_bytes()) == expected
    # A surrogate is what the faster of two writers of JSON does not take.
    assert json.loads(json_line(expected | {"x": "\udcff", "nan": [float("nan")]}))["nan"] == [None]


@pytest.mark.parametrize(
    ("never", "reason"),
    [
        (pa.array([12932896, 0], pa.date32()), "date value out of range"),
        (pa.array([[12932896], [0]], pa.list_(pa.date32())), "date value out of range"),
        (pa.array([1 << 60, 0], pa.timestamp("us")), "time value out of range"),
        (pa.array([1 << 60, 0], pa.time64("us")), "time value out of range"),
        (pa.array([[1 << 60], [0]], pa.list_(pa.duration("s"))), "too large"),
        (pa.array([0, 0], pa.timestamp("us", "Mars/Olympus")), "timezone 'Mars/Olympus'"),
        (pa.array([[0]] * 2, pa.list_(pa.timestamp("us", "Mars/Olympus"))), "time zone 'Mars"),
    ],
)
def test_times_that_python_has_not(tmp_path, never, reason):
    """To Parquet they go through as they are; JSON has no way to write them."""
    path, out, lines = tmp_path / "a.parquet", tmp_path / "b.parquet", tmp_path / "c.jsonl"
    made = {"id": never, "text": [TEXT.format(n) for n in range(2)]}
    before = write(path, pa.table(made))
    done(path, "-o", out)
    assert pq.read_table(out).column("id").equals(before.column("id"))
    step = "; use --on-error skip to go on, or --output-format parquet"
    failed(run(path, "-o", lines), f"{path}: row 1: holds what JSON cannot (", reason, step)
    done(path, "-o", lines, "--on-error", "skip")
    assert lines.read_bytes().count(b"\n") == (0 if "zone" in reason else 1)


@pytest.mark.parametrize(
    ("ids", "documents"),
    [
        (pa.array(["x", None]), ["x", None]),
        (pa.array(["x", "y"]).dictionary_encode(), ["x", "y"]),
        (pa.array([7, 8]).dictionary_encode(), [7, 8]),
        (pa.array([1.5, None], pa.float32()), [1.5, None]),
        (pa.array([dt.date(2020, 1, 2)] * 2), [None, None]),
        (pa.array([{"a": 1}] * 2), [None, None]),
    ],
)
def test_what_a_row_is_called(ids, documents):
    """By a string or a number; what else stands there is no name."""
    data = packed_rows(Rows(None, pa.table({"id": ids, "text": ["a", "b"]}), ends_group=True), None)
    options = {"text_field": "text", "title_field": "title", "with_values": False}
    rows = list(parse_rows(data, name="a", first=1, **options))
    assert [row.id for row in rows] == documents
    names = [f"a: row {n}" if name is None else str(name) for n, name in enumerate(documents, 1)]
    assert [row.document.identity for row in rows] == names


def test_several_into_one(tmp_path):
    one, two, out = (tmp_path / name for name in ("1.parquet", "2.parquet", "out.parquet"))
    write(one)
    write(two)
    done(one, two, "-o", out)
    assert pq.read_table(out).num_rows == 200
    write(two, table().drop_columns(["meta"]))
    failed(run(one, two, "-o", out), "different schemas do not go into one file")
    (tmp_path / "a.jsonl").write_bytes(numbered(1))
    failed(run(one, tmp_path / "a.jsonl", "-o", out), "a.jsonl:1: the field 'id' does not fit")
    done(one, two, "-o", tmp_path / "all.jsonl")
    assert (tmp_path / "all.jsonl").read_bytes().count(b"\n") == 200


# --- what cannot be used -------------------------------------------------------------------------


def test_null_texts(tmp_path):
    path, out = tmp_path / "a.parquet", tmp_path / "out.parquet"
    texts = [None if n in (1, 3) else TEXT.format(n) for n in range(5)]
    write(path, pa.table({"text": texts, "n": range(5)}))
    failed(run(path, "-o", out), f"{path}: row 2: the field 'text' is null; mend it")
    _, _, shown = run(path, "-o", out, "--on-error", "keep")
    assert f"{path}: row 2: the field 'text' is null: kept as it is\n" in shown
    left = [text and text.replace("JUNK line.\n", "") for text in texts]
    assert pq.read_table(out).to_pydict() == {"text": left, "n": [0, 1, 2, 3, 4]}
    done(path, "-o", out, "--on-error", "skip")
    assert pq.read_table(out).to_pydict() == {"text": left[::2], "n": [0, 2, 4]}
    done(path, "-o", tmp_path / "out.jsonl", "--on-error", "skip")
    assert (tmp_path / "out.jsonl").read_bytes().count(b"\n") == 3


def test_rows_left_out_beside_columns_of_any_type(tmp_path):
    path, out = tmp_path / "a.parquet", tmp_path / "out.parquet"
    texts = [None if n in (0, 3, 4) else TEXT.format(n) for n in range(7)]
    views = pa.array([f"v{n}" for n in range(7)], pa.string_view())
    write(path, pa.table({"text": texts, "view": views, "n": range(7)}))
    done(path, "-o", out, "--on-error", "skip")
    assert pq.read_table(out).column("n").to_pylist() == [1, 2, 5, 6]
    assert pq.read_table(out).column("view").to_pylist() == ["v1", "v2", "v5", "v6"]


def test_rows_that_cannot_be_written(tmp_path, monkeypatch):
    """What a later pyarrow may not be able to do is told like all else."""

    def cannot(*_):
        raise pa.ArrowNotImplementedError("no kernel for it")

    path, out = tmp_path / "a.parquet", tmp_path / "out.parquet"
    write(path)
    monkeypatch.setattr("cleaner.formats.parquet.RowsWriter._replaced", cannot)
    message = f"{path}: row 1: cannot be written as Parquet (no kernel for it)"
    failed(run(path, "-o", out), message, "use --output-format jsonl")
    assert not out.exists()


def test_a_text_column_that_holds_nothing(tmp_path):
    path, out = tmp_path / "a.parquet", tmp_path / "out.parquet"
    before = write(path, pa.table({"text": pa.nulls(3), "n": [1, 2, 3]}))
    failed(run(path, "-o", out), f"{path}: row 1: the field 'text' is null")
    done(path, "-o", out, "--on-error", "keep")
    assert pq.read_table(out).equals(before)
    done(path, "-o", out, "--on-error", "skip")
    assert pq.read_table(out).equals(before.slice(0, 0))


def test_bytes_that_are_no_utf8(tmp_path):
    path, out = tmp_path / "a.parquet", tmp_path / "out.parquet"
    raw = pa.array([b"Good \xff.\nJUNK \xfe.\nEnd.\n"], pa.binary()).view(pa.string())
    write(path, pa.table({"text": raw}))
    done(path, "-o", out)
    assert pq.read_table(out).column("text").cast(pa.binary()).to_pylist() == [
        b"Good \xff.\nEnd.\n"
    ]


def test_bytes_that_are_no_utf8_on_the_way_to_jsonl(tmp_path):
    path, out = tmp_path / "a.parquet", tmp_path / "out.jsonl"
    raw = pa.array([b"Good \xff.\nEnd.\n", b"Good.\n"], pa.binary()).view(pa.string())
    write(path, pa.table({"text": raw, "n": [1, 2]}))
    done(path, "-o", out)
    first = json.loads(out.read_bytes().splitlines()[0])
    assert first == {"text": "Good \udcff.\nEnd.\n", "n": 1}
    write(path, pa.table({"text": ["a", "b"], "x": raw}))
    failed(run(path, "-o", out), f"{path}: row 1: holds what JSON cannot", "use --on-error skip")
    done(path, "-o", out, "--on-error", "skip")
    assert out.read_bytes() == b'{"text":"b","x":"Good.\\n"}\n'


def test_two_columns_of_one_name(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table([pa.array(["a"])] * 3, names=["text", "x", "x"]), path)
    failed(run(path), f"{path}: has two columns of one name ('x')")


@pytest.mark.parametrize(
    ("made", "message"),
    [
        ({"body": ["a"]}, "has no column 'text' (it has body); name the column with --text-field"),
        ({"text": [1]}, "the column 'text' is int64, not string; name another with --text-field"),
    ],
)
def test_a_table_without_text(tmp_path, made, message):
    path = tmp_path / "a.parquet"
    write(path, pa.table(made))
    failed(run(path), f"{path}: {message}")


@pytest.mark.parametrize("share", [0, 0.5, 0.99])
def test_truncated(tmp_path, share):
    folder = tmp_path / "in"
    folder.mkdir()
    path = folder / "b.parquet"
    write(path)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    write(folder / "a.parquet")
    message = f"{path}: is no whole Parquet file, or is damaged"
    failed(run(path, "-o", tmp_path / "out.parquet"), message)
    failed(run(folder, "-o", tmp_path / "out"), message)
    assert names(tmp_path / "out") in (["a.parquet"], [".cleaner.journal", "a.parquet"])
    _, _, shown = run(folder, "-o", tmp_path / "out", "--on-error", "skip")
    assert "left out" in shown
    assert names(tmp_path / "out") == ["a.parquet"]
    done(folder, "-o", tmp_path / "out", "--on-error", "keep")
    assert (tmp_path / "out" / "b.parquet").read_bytes() == path.read_bytes()


def test_a_lack_of_memory_is_no_damage(tmp_path, monkeypatch):
    """A file is not left out for it."""

    def full(*_, **__):
        raise pa.ArrowMemoryError("malloc of size 1 failed")

    path = tmp_path / "in" / "a.parquet"
    path.parent.mkdir()
    write(path)
    monkeypatch.setattr("pyarrow.parquet.ParquetFile.iter_batches", full)
    command = [path.parent, "-o", tmp_path / "out", "--on-error", "skip"]
    failed(run(*command), "memory ran out; use fewer --jobs")


def test_damaged_within(tmp_path):
    path = tmp_path / "a.parquet"
    write(path, compression="zstd", write_page_checksum=True)
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 200] = b"\0" * 200
    path.write_bytes(data)
    before = contents(tmp_path)
    failed(run(path, "-i"), "is no whole Parquet file, or is damaged in row group")
    assert contents(tmp_path) == before
