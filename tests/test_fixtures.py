"""The labelled fixtures that were written for this, and how they are made of text."""

import gzip
import json
from pathlib import Path

import pytest

from cleaner.errors import InputError
from cleaner.training.fixtures import write, written

FIXTURES = Path(__file__).parent.parent / "fixtures"


def test_the_written_articles_are_what_the_fixture_holds(tmp_path):
    made = tmp_path / "made.jsonl.gz"
    assert write(made, written(FIXTURES / "articles")) == 36
    with gzip.open(made) as own, gzip.open(FIXTURES / "labelled/written_articles.jsonl.gz") as held:
        assert own.read() == held.read()


def test_the_first_of_them_are_of_all_kinds():
    kinds = [record["page_type"] for record in written(FIXTURES / "articles")]
    assert set(kinds[:16]) == set(kinds) == {"box", "clean", "furniture", "paragraphs"}


def test_the_written_genres_are_what_the_fixtures_hold(tmp_path):
    made = tmp_path / "made.jsonl.gz"
    assert write(made, written(FIXTURES / "genres")) == 120
    held = FIXTURES / "labelled/written_genres.jsonl.gz"
    assert gzip.decompress(made.read_bytes()) == gzip.decompress(held.read_bytes())


def test_an_article_says_of_each_line_what_it_is(tmp_path):
    (tmp_path / "box-bees.txt").write_text(
        "K|A bridge is built\nB|Bees | and flowers\nK|It is long."
    )
    (record,) = written(tmp_path)
    assert json.loads(json.dumps(record)) == {
        "id": "box-bees",
        "source": "box-bees",
        "title": None,
        "page_type": "box",
        "lines": ["A bridge is built", "Bees | and flowers", "It is long."],
        "labels": [0, 1, 0],
        "kinds": ["article", "fact box", "article"],
    }


def test_an_article_may_have_a_title_beside_it(tmp_path):
    (tmp_path / "genre-poem.txt").write_text("T|The bridge\nK|It is long,\nK|\nK|and it is old.\n")
    (record,) = written(tmp_path)
    assert record["title"] == "The bridge"
    assert record["lines"] == ["It is long,", "", "and it is old."]


@pytest.mark.parametrize("line", ["It is long.", "X|It is long.", ""])
def test_a_line_that_does_not_say_what_it_is(tmp_path, line):
    (tmp_path / "a.txt").write_text(f"K|A bridge is built\n{line}\nK|More.\n")
    with pytest.raises(InputError, match=r"a\.txt:2: the line begins with no letter .* B, P, U"):
        list(written(tmp_path))


def test_no_article(tmp_path):
    with pytest.raises(InputError, match=r"no article; give a folder of \.txt files"):
        list(written(tmp_path))
