"""Clean articles with furniture put in: every line is labelled for what it is."""

import numpy as np
import pytest

from cleaner.evaluation import Host
from cleaner.training.formulas import FORMULAS
from cleaner.training.furniture import Headlines, Page, furniture_records, pages_of

HOSTS = [
    Host(
        identity=f"article-{n}",
        title=f"Headline {n}",
        subject="",
        sentences=(f"Opening {n}.", f"More of it {n}.", f"Second paragraph {n}."),
        paragraphs=(0, 0, 1),
        site=f"site-{n % 10}.org",
    )
    for n in range(200)
]
PAGES = [
    Page(((f"Menu of {site}", f"Search {site}"), (f"Footer of {site}",)), site)
    for site in (f"site-{n}.org" for n in range(10))
]
TITLES = [host.title for host in HOSTS]


def records(seed=0):
    vectors = np.random.default_rng(0).normal(size=(len(TITLES), 4)).astype(np.float32)
    headlines = Headlines(TITLES, vectors)
    return list(furniture_records(HOSTS, PAGES, headlines, seed=seed))


@pytest.fixture(scope="module")
def made():
    return records()


def test_what_is_kept_is_the_article(made):
    for host, record in zip(HOSTS, made, strict=True):
        pairs = zip(record["lines"], record["labels"], strict=True)
        n = host.identity.split("-")[1]
        kept = [line for line, label in pairs if label == 0]
        assert kept == [f"Opening {n}. More of it {n}.", f"Second paragraph {n}."]


def test_every_kind_of_furniture_is_put_in_and_some_articles_stay_clean(made):
    by_kind = {record["kind"]: record for record in made}
    assert set(by_kind) == {
        "clean", "lines", "run", "frame", "formulas", "related", "form"
    }  # fmt: skip
    assert by_kind["clean"]["labels"] == [0, 0]
    assert all(1 in record["labels"] for kind, record in by_kind.items() if kind != "clean")


def test_a_form_has_mostly_lost_its_line_breaks(made):
    """As in "Newsletter Please enter a valid email address. Thanks for signing up!"."""
    forms = [r for r in [*made, *records(seed=1), *records(seed=2)] if r["kind"] == "form"]
    on_one_line = [r for r in forms if r["labels"].count(1) == 1]
    assert len(forms) / 2 < len(on_one_line) < len(forms)


def test_a_record_is_of_its_articles_site(made):
    assert [record["site"] for record in made] == [host.site for host in HOSTS]


def test_the_same_seed_gives_the_same_records(made):
    assert records() == made
    assert records(seed=1) != made


def test_related_headlines_are_of_other_articles(made):
    for host, record in zip(HOSTS, made, strict=True):
        if record["kind"] == "related":
            pairs = zip(record["lines"], record["labels"], strict=True)
            found = {line.casefold() for line, label in pairs if label}
            assert not any(line.endswith(host.title.casefold()) for line in found)


def test_the_closest_headlines_are_the_related_ones():
    vectors = np.eye(60, dtype=np.float32)
    vectors[1:41, 0] = 0.5
    headlines = Headlines([f"H{n}" for n in range(60)], vectors)
    close = {f"H{n}" for n in range(1, 41)}
    drawn = [headlines.related("H0", 5, np.random.default_rng(seed)) for seed in range(40)]
    assert sum(set(few) <= close for few in drawn) > 20
    assert all("H0" not in few for few in drawn if set(few) <= close)


def test_runs_of_furniture_are_found():
    record = {"lines": ["Menu", "Text.", "Ad", " ", "Footer"], "labels": [1, 0, 1, 1, 1]}
    assert pages_of([(record, "a.org")]) == [Page((("Menu",), ("Ad",), ("Footer",)), "a.org")]
    assert pages_of([({"lines": ["Text."], "labels": [0]}, "a.org")]) == []


def test_every_formula_can_be_filled():
    names = ("site", "SITE", "person", "PERSON", "topic", "TOPIC", "handle", "domain")
    filled = [f.format(**dict.fromkeys(names, "x"), year=2022, number=3) for f in FORMULAS]
    assert not any("{" in text for text in filled)
    assert len(set(FORMULAS)) == len(FORMULAS)
