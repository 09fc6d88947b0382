"""Fact boxes that are put into articles."""

import pytest

from cleaner.evaluation.intruders import Host
from cleaner.training.boxes import boxed_records

HOSTS = [
    Host(
        identity=f"article {number}",
        title=f"Title of {number}",
        subject="",
        sentences=tuple(f"Sentence {at} of article {number}." for at in range(30)),
        paragraphs=tuple(at // 3 for at in range(30)),
    )
    for number in range(60)
]
BOXES = [["HOW TO SLEEP", "Go to bed early", "Drink no coffee"], ["Facts on bees", "They dance"]]
RECORDS = list(boxed_records(HOSTS, BOXES, seed=1))


def lines_of(record, label):
    return [x for x, own in zip(record["lines"], record["labels"], strict=True) if own == label]


@pytest.mark.parametrize(("number", "record"), list(enumerate(RECORDS)))
def test_an_article_gets_a_box_and_stays_as_it_was(number, record):
    assert lines_of(record, 0) == list(HOSTS[number].sentences)
    assert lines_of(record, 1) == BOXES[number % 2]
    paragraphs = [p for p, own in zip(record["paragraph"], record["labels"], strict=True) if own]
    assert len(set(paragraphs)) == len(paragraphs)  # a line of the box stands by itself


def test_no_box_stands_within_a_paragraph():
    for record in RECORDS:
        own = [
            p for p, label in zip(record["paragraph"], record["labels"], strict=True) if not label
        ]
        seen = [p for p, before in zip(own, [None, *own], strict=False) if p != before]
        around = list(zip(record["paragraph"], record["paragraph"][1:], strict=False))
        inside = [(a, b) for a, b in around if a == b and a in seen]
        assert len(inside) == 2 * len(seen)


def test_boxes_stand_together_or_are_scattered():
    together = ["".join(map(str, r["labels"])).strip("0").count("0") == 0 for r in RECORDS]
    assert 0.4 < sum(together) / len(together) < 0.8


def test_the_same_seed_gives_the_same_records():
    assert list(boxed_records(HOSTS, BOXES, seed=1)) == RECORDS
    assert list(boxed_records(HOSTS, BOXES, seed=2)) != RECORDS
