"""Tables: types, nulls, columns, and size."""

from __future__ import annotations

import itertools

import pytest

pa = pytest.importorskip("pyarrow")

from inputs import NAMED

from cleaner import Cleaner, Finding
from cleaner.adapters.arrow import TableCleaner
from cleaner.adapters.options import CleanerOptions
from cleaner.errors import InputError, OptionError
from cleaner.formats import decode, encode
from cleaner.results import restore

TYPES = {
    "string": pa.string(),
    "large_string": pa.large_string(),
    "string_view": pa.string_view(),
    "binary": pa.binary(),
    "large_binary": pa.large_binary(),
    "binary_view": pa.binary_view(),
    "dictionary": pa.dictionary(pa.int32(), pa.string()),
    "dictionary of binary": pa.dictionary(pa.int8(), pa.binary()),
}


@pytest.fixture
def marked_tables(monkeypatch, marks):
    """Tables by the cleaner that goes by the mark."""
    monkeypatch.setattr(CleanerOptions, "cleaner", lambda _: marks)


def table_of(texts, kind=None, **columns):
    return pa.table({"text": pa.array(texts, kind or pa.string()), **columns})


@pytest.mark.usefixtures("marked_tables")
@pytest.mark.parametrize("kind", TYPES.values(), ids=TYPES)
@pytest.mark.parametrize("explain", [False, True])
def test_a_type_comes_out_as_it_went_in(kind, explain):
    texts = ["a line\nJUNK\nanother\n", None, "é plain", ""]
    given = pa.array(texts, pa.string()).cast(pa.binary()).to_pylist()
    plain = kind.value_type if pa.types.is_dictionary(kind) else kind
    column = pa.array(given if "binary" in str(plain) else texts, plain)
    column = column.dictionary_encode().cast(kind) if plain != kind else column
    cleaned = TableCleaner(explain=explain).clean(pa.table({"text": column}))
    assert cleaned.schema.field("text").type == kind
    cleaned.validate(full=True)
    out = cleaned.column("text").cast(plain).to_pylist()
    assert [encode(text) if isinstance(text, str) else text for text in out] == [
        b"a line\nanother\n",
        None,
        "é plain".encode(),
        b"",
    ]


@pytest.mark.usefixtures("marked_tables")
@pytest.mark.parametrize("data", NAMED.values(), ids=NAMED)
@pytest.mark.parametrize("kind", [pa.binary(), pa.large_string()], ids=str)
def test_bytes_are_kept_whatever_they_are(marks, data, kind):
    """A column of strings may hold what is no UTF-8, whoever wrote it: it goes out as it came."""
    column = pa.array([data], pa.large_binary())
    column = column.view(kind) if kind == pa.large_string() else column.cast(kind)
    cleaned = TableCleaner(explain=True).clean(pa.table({"text": column}))
    text = cleaned.column("text").cast(pa.large_binary())[0].as_py()
    assert text == encode(marks.clean_and_explain(decode(data)).text)
    (removed,) = cleaned.column("removed").to_pylist() if kind == pa.binary() else ([],)
    if removed:
        findings = [
            Finding(f["start"], f["end"], decode(f["text"]), f["score"], f["reason"])
            for f in removed
        ]
        assert encode(restore(decode(text), findings)) == data


def test_a_column_of_nulls_and_a_table_of_nothing():
    cleaner = TableCleaner(explain=True)
    nulls = cleaner.clean(pa.table({"text": pa.nulls(3), "title": pa.nulls(3)}))
    assert nulls.column("text").null_count == 3
    assert nulls.column("removed").null_count == 3
    assert nulls.column("judged").null_count == 3
    empty = cleaner.clean(table_of([]))
    assert empty.num_rows == 0
    assert empty.schema == cleaner.schema(table_of(["a"]).schema)


@pytest.mark.usefixtures("marked_tables")
def test_other_columns_stay_as_they_are():
    extra = {
        "n": pa.array([1, None], pa.uint8()),
        "nested": pa.array([[{"a": 1}], None]),
        "map": pa.array([[("k", 1)], []], pa.map_(pa.string(), pa.int8())),
        "time": pa.array([0, 1], pa.timestamp("ns", "UTC")),
    }
    table = table_of(["a\nJUNK\n", "b"], **extra).replace_schema_metadata({"of": "whom"})
    cleaned = TableCleaner().clean(table)
    assert cleaned.schema.equals(table.schema, check_metadata=True)
    assert cleaned.drop_columns("text") == table.drop_columns("text")
    assert cleaned.column("text").to_pylist() == ["a\n", "b"]


@pytest.mark.usefixtures("marked_tables")
@pytest.mark.parametrize("explain", [False, True])
def test_other_columns_of_one_name_stay_apart(explain):
    """A join leaves such tables."""
    names = ["n", "text", "n", "judged", "judged"]
    values = [[1], ["a\nJUNK\n"], ["two"], [3.0], [4]]
    table = pa.Table.from_arrays([pa.array(value) for value in values], names=names)
    cleaner = TableCleaner(explain=explain)
    cleaned = cleaner.clean(table)
    kept, added = (3, ["removed", "judged", "why"]) if explain else (5, [])
    assert cleaned.schema.names == names[:kept] + added
    assert cleaned.schema == cleaner.schema(table.schema)
    wanted = [[1], ["a\n"], ["two"], [3.0], [4]][:kept]
    assert [column.to_pylist() for column in cleaned.columns[:kept]] == wanted


@pytest.mark.usefixtures("marked_tables")
def test_an_explanation_is_typed_and_complete(marks):
    texts = ["a line\nJUNK here\nanother\n", "", None]
    cleaned = TableCleaner(explain=True).clean(table_of(texts))
    (finding,) = marks.clean_and_explain(texts[0]).findings
    assert cleaned.column("removed").to_pylist() == [
        [
            {
                "start": finding.start,
                "end": finding.end,
                "text": finding.text,
                "score": finding.score,
                "reason": finding.reason,
                "evidence": [{"name": "a", "value": 0.5}],
            }
        ],
        [],
        None,
    ]
    assert cleaned.column("judged").to_pylist() == [True, False, None]
    assert cleaned.column("why").to_pylist() == [None, "too short", None]


@pytest.mark.usefixtures("marked_tables")
def test_an_earlier_explanation_is_replaced():
    cleaner = TableCleaner(explain=True)
    table = table_of(["a\nJUNK\n"], judged=pa.array(["of an earlier run"]), n=pa.array([1]))
    once = cleaner.clean(table)
    assert once.schema.names == ["text", "n", "removed", "judged", "why"]
    assert cleaner.clean(once).column("removed").to_pylist() == [[]]


def test_titles_are_used(seed):
    low = Cleaner(threshold=0.0)
    title, body = seed.split("\n")[0], "\n".join(seed.split("\n")[3:])
    wanted = [low.clean_and_explain(body, title=title), low.clean_and_explain(body)]
    wanted = [[finding.score for finding in result.findings] for result in wanted]
    assert wanted[0] != wanted[1]
    table = pa.table({"body": [body, body], "head": pa.array([title, None])})
    tables = TableCleaner(text_column="body", title_column="head", threshold=0.0, explain=True)
    removed = tables.clean(table).column("removed").to_pylist()
    assert [[finding["score"] for finding in row] for row in removed] == wanted


@pytest.mark.usefixtures("marked_tables")
def test_a_large_table_is_taken_in_slices():
    """What is Python objects at a time does not grow with the table."""
    table = table_of(["a\nJUNK\n"] * 10_500)
    slices = TableCleaner().slices(table)
    first = next(slices)
    assert first.num_rows == 1_000
    assert sum(part.num_rows for part in itertools.chain([first], slices)) == 10_500


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"body": ["a"]}, "there is no column 'text' among 'body'"),
        ({"text": [1]}, "the column 'text' is of the type int64, which holds no text"),
        ({"text": [["a"]]}, "is of the type list<"),
        ({"text": ["a"], "title": [1.5]}, "the column 'title' is of the type double"),
        ({}, "there is no column 'text' among none"),
    ],
)
def test_columns_that_hold_no_text_are_refused(columns, message):
    with pytest.raises(InputError) as caught:
        TableCleaner().clean(pa.table(columns))
    assert message in str(caught.value)
    assert caught.value.next_step


def test_two_columns_of_one_name_are_refused():
    table = pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"])], names=["text", "text"])
    with pytest.raises(InputError, match="there are 2 columns 'text'"):
        TableCleaner().clean(table)


def test_a_title_that_is_named_must_be_there():
    with pytest.raises(InputError, match="there is no column 'headline'"):
        TableCleaner(title_column="headline").clean(table_of(["a"]))
    assert TableCleaner(title_column=None).clean(table_of(["a"], title=pa.array([1]))).num_rows == 1


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"text_column": "title"}, "text and title are both the column 'title'"),
        ({"text_column": "removed", "explain": True}, "a column that an explanation is written to"),
        ({"threshold": -1.0}, "the threshold is -1.0"),
        ({"titel_column": "head"}, "there is no option 'titel_column'"),
        ({"text_column": None}, "the text column is None, of type NoneType"),
        ({"title_column": 7}, "the title column is 7, of type int"),
    ],
)
def test_options_that_do_not_go_together_are_refused(wrong, message):
    with pytest.raises(OptionError, match=message):
        TableCleaner(**wrong)
