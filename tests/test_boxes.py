"""Fact boxes that are put into articles to learn from."""

import pytest

from cleaner.evaluation.intruders import Host
from cleaner.training.boxes import fact_box_records

HOSTS = [
    Host(
        identity=f"article {number}",
        title=f"Title of {number}",
        subject="",
        sentences=tuple(f"Sentence {at} of article {number}." for at in range(50)),
        paragraphs=tuple(at // 3 for at in range(50)),
    )
    for number in range(200)
]
RECORDS = list(fact_box_records(HOSTS, seed=1))


def lines_of(record, label):
    return [x for x, own in zip(record["lines"], record["labels"], strict=True) if own == label]


@pytest.mark.parametrize(("host", "record"), list(zip(HOSTS, RECORDS, strict=True)))
def test_what_is_not_of_the_box_is_the_article_or_sentences_of_it_in_a_row(host, record):
    own = lines_of(record, 0)
    first = host.sentences.index(own[0])
    assert own == list(host.sentences[first : first + len(own)])
    assert len(own) >= 10


@pytest.mark.parametrize("record", [r for r in RECORDS if r["kind"] == "box"])
def test_a_box_is_of_one_other_article_and_each_line_of_it_stands_by_itself(record):
    box = lines_of(record, 1)
    assert 2 <= len(box) <= 7
    (donor,) = {int("".join(filter(str.isdigit, line.split()[-1]))) for line in box}
    assert record["id"] != f"article {donor}"
    paragraphs = [p for p, own in zip(record["paragraph"], record["labels"], strict=True) if own]
    assert len(set(paragraphs)) == len(paragraphs)


def test_boxes_are_of_many_kinds():
    boxed = [r for r in RECORDS if r["kind"] == "box"]
    assert len(boxed) / len(RECORDS) == pytest.approx(0.7, abs=0.1)
    heads = [lines_of(r, 1)[0] for r in boxed]
    assert any(head.startswith("TITLE") for head in heads)
    assert any(head.startswith("Title") for head in heads)
    assert any(head.startswith("\u2022 ") for head in heads)
    together = ["".join(map(str, r["labels"])).strip("0").count("0") == 0 for r in boxed]
    assert 0.4 < sum(together) / len(together) < 0.8
    assert any(len(lines_of(r, 0)) < 20 for r in boxed)
    assert any(len(lines_of(r, 0)) == 50 for r in boxed)


def test_the_same_seed_gives_the_same_records():
    assert list(fact_box_records(HOSTS, seed=1)) == RECORDS
    assert list(fact_box_records(HOSTS, seed=2)) != RECORDS


def test_where_there_is_nobody_to_take_from_all_stays_clean():
    assert {r["kind"] for r in fact_box_records(HOSTS[:1] * 5, seed=1)} == {"clean"}
