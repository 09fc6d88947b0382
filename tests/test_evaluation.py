"""Labelled documents, intruders made from clean articles, and the figures of a cleaning."""

import json
from itertools import pairwise

import numpy as np
import pytest
from click.testing import CliRunner

from cleaner import benchmark
from cleaner.document import Span
from cleaner.evaluation import (
    Host,
    box_records,
    compose,
    figures,
    headline_records,
    intruder_records,
    removed_share,
)
from cleaner.results import CleanResult, Finding

SUBJECTS = ("politics", "sport", "science")


def host(number, *, sentences=20):
    """An article each of whose sentences says which article it is of."""
    return Host(
        identity=f"article-{number}",
        title=f"Title {number}",
        subject=SUBJECTS[number % 3],
        sentences=tuple(
            f"Sentence {at} of article {number} says what there is to say."
            for at in range(sentences)
        ),
        paragraphs=tuple(at // 3 for at in range(sentences)),
    )


@pytest.fixture(scope="module")
def records():
    return list(intruder_records([host(n) for n in range(600)], seed=4))


def test_a_fact_box_is_two_to_six_lines_of_an_article_on_another_subject():
    hosts = [host(n) for n in range(30)]
    subjects = {own.identity.split("-")[1]: own.subject for own in hosts}
    made = list(box_records(hosts, seed=4))
    assert len(made) == len(hosts)
    for own, record in zip(hosts, made, strict=True):
        pairs = list(zip(record["lines"], record["labels"], strict=True))
        foreign = [line for line, label in pairs if label]
        assert {subjects[line.split()[4]] for line in foreign}.isdisjoint({own.subject})
        assert 2 <= len(foreign) <= 12  # a line of a box has one sentence or two
        assert sorted(line for line, label in pairs if not label) == sorted(own.sentences)
    assert not list(box_records(hosts[:1]))  # nobody to take it from


def test_an_article_alone_stays_clean():
    assert [record["kind"] for record in intruder_records([host(1)], seed=4)] == ["clean"]


class TestBenchmark:
    def run(self, tmp_path, *rows, encoder="fast"):
        path = tmp_path / "articles.jsonl"
        path.write_text("".join(row + "\n" for row in rows), "utf-8")
        return CliRunner().invoke(
            benchmark.main, ["--encoder", encoder, "--all-articles", str(path)]
        )

    def test_it_says_how_many_intruders_are_found(self, tmp_path):
        hosts = [host(n) for n in range(6)]
        rows = [
            {"id": h.identity, "topic": h.subject, "text": "\n".join(h.sentences)} for h in hosts
        ]
        done = self.run(tmp_path, *map(json.dumps, rows))
        assert done.exit_code == 0, done.output
        assert "6 documents, threshold 0." in done.stdout
        assert "a fact box on another subject, in 6 documents" in done.stdout

    @pytest.mark.parametrize(
        ("row", "encoder", "says"),
        [
            ("{", "fast", "articles.jsonl:1: not valid JSON"),
            ("{}", "fast", 'the record is no article: neither "text" nor a list of "lines"'),
            ('{"text": "Short."}', "fast", "of 1 articles none has eight sentences or more"),
            ("{}", "./nosuch", "./nosuch: there is no such encoder"),
        ],
    )
    def test_what_is_wrong_is_said(self, tmp_path, row, encoder, says):
        done = self.run(tmp_path, row, encoder=encoder)
        assert done.exit_code == 1
        assert says in done.stderr


def test_compose_offsets_are_exact():
    record = {
        "id": 7,
        "title": "Bridges",
        "lines": ["One.", "Two \U0001f600.", "Th\nree.", ""],
        "paragraph": [0, 0, 1, 2],
        "labels": [0, 1, -1, 0],
    }
    document = compose(record, site="example.org", source="test")
    assert document.text == "One. Two \U0001f600.\nTh ree.\n\n"
    texts = [document.text[span.start : span.end] for span in document.spans]
    assert texts == ["One.", "Two \U0001f600.", "Th ree.", ""]
    assert document.labels == (0, 1, -1, 0)
    assert (document.title, document.site, document.identity) == ("Bridges", "example.org", "7")


def test_compose_without_paragraphs_is_a_line_each():
    document = compose({"lines": ["One.", "Two."]})
    assert document.text == "One.\nTwo.\n"
    assert document.labels == (0, 0)
    assert document.title is None


def test_compose_of_an_intruder_record(records):
    for record in records[:50]:
        document = compose(record)
        assert [document.text[s.start : s.end] for s in document.spans] == record["lines"]
        assert all(a.end + 1 == b.start for a, b in pairwise(document.spans))


def test_labels_mark_what_is_of_another_article(records):
    for record in records:
        own = f" of {record['id'].replace('-', ' ')} "
        assert [int(own not in line) for line in record["lines"]] == record["labels"]


def test_nothing_of_the_host_is_lost(records):
    for number, record in enumerate(records):
        kept = [t for t, label in zip(record["lines"], record["labels"], strict=True) if not label]
        assert sorted(kept) == sorted(host(number).sentences)


def test_intruders_of_one_document_come_from_one_donor(records):
    for record in records:
        strange = [t for t, label in zip(record["lines"], record["labels"], strict=True) if label]
        assert len({line.split()[4] for line in strange}) <= 1


def test_shares(records):
    clean = [record for record in records if record["kind"] == "clean"]
    assert all(not any(record["labels"]) for record in clean)
    assert len(clean) / len(records) == pytest.approx(0.3, abs=0.06)
    assert all(any(record["labels"]) for record in records if record["kind"] != "clean")
    assert {r["kind"] for r in records} == {"clean", "scattered", "block", "paragraphs", "box"}
    untitled = sum(record["title"] is None for record in records)
    assert untitled / len(records) == pytest.approx(0.3, abs=0.06)


def test_at_least_three_in_ten_donors_are_on_the_same_subject(records):
    same = []
    for number, record in enumerate(records):
        donors = {int(line.split()[4]) for line in record["lines"]} - {number}
        same += [SUBJECTS[donor % 3] == SUBJECTS[number % 3] for donor in donors]
    # 30 % by choice, and a third of the others by chance.
    assert np.mean(same) == pytest.approx(0.3 + 0.7 / 3, abs=0.07)


def test_a_quarter_is_shuffled(records):
    def own_order(record):
        lines = zip(record["lines"], record["labels"], strict=True)
        return [int(line.split()[1]) for line, label in lines if not label]

    shuffled = sum(own_order(record) != sorted(own_order(record)) for record in records)
    assert shuffled / len(records) == pytest.approx(0.25, abs=0.06)


def test_same_seed_same_records():
    hosts = [host(n) for n in range(20)]
    assert list(intruder_records(hosts, seed=1)) == list(intruder_records(hosts, seed=1))
    assert list(intruder_records(hosts, seed=1)) != list(intruder_records(hosts, seed=2))


def cleaned(text, *spans):
    return CleanResult(text, tuple(Finding(a, b, text[a:b], 0.9, "off-topic") for a, b in spans))


def test_removed_share():
    result = cleaned("one two three four", (4, 8), (14, 18))
    spans = [Span(0, 3), Span(4, 7), Span(6, 10), Span(8, 18), Span(0, 18), Span(5, 5)]
    assert removed_share(result, spans).tolist() == [0.0, 1.0, 0.5, 0.4, 8 / 18, 0.0]


def test_removed_share_of_nothing():
    assert removed_share(cleaned("text"), [Span(0, 4)]).tolist() == [0.0]
    assert removed_share(cleaned("text"), []).tolist() == []


def test_figures():
    found = figures(
        np.array([1, 1, 0, 0, -1]),
        np.array([0.9, 0.4, 0.8, 0.1, 1.0]),
        np.array([10, 30, 20, 60, 99]),
        0.5,
    )
    assert (found.precision, found.recall, found.f1) == (0.5, 0.5, 0.5)
    assert found.average_precision == pytest.approx((1 / 1 + 2 / 3) / 2)
    assert found.lost == pytest.approx(20 / 80)
    assert found.left == pytest.approx(30 / 40)


def test_average_precision_does_not_depend_on_the_order_of_ties():
    labels, scores, lengths = np.array([1, 0, 1, 0]), np.full(4, 0.5), np.ones(4, dtype=int)
    one = figures(labels, scores, lengths, 0.5)
    other = figures(labels[::-1], scores, lengths, 0.5)
    assert one.average_precision == other.average_precision == 0.5


def test_figures_of_nothing_are_undefined():
    found = figures(np.array([0]), np.array([0.1]), np.array([5]), 0.5)
    assert found.average_precision is found.precision is found.recall is found.f1 is None
    assert found.lost == 0.0
    assert "average_precision   -  " in str(found)
    assert found.to_dict()["lost"] == 0.0


def test_headlines_stand_between_paragraphs():
    hosts = [host(number) for number in range(60)]
    for own, record in zip(hosts, headline_records(hosts, seed=3), strict=True):
        labelled = list(zip(record["lines"], record["labels"], strict=True))
        assert tuple(text for text, label in labelled if not label) == own.sentences
        assert all("title" in text.casefold() for text, label in labelled if label)
        assert own.title.casefold() not in {text.casefold() for text, label in labelled if label}
        numbers = record["paragraph"]
        for number, label in zip(numbers, record["labels"], strict=True):
            assert not label or numbers.count(number) == 1
