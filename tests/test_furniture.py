"""Clean articles with furniture put in: every line is labelled for what it is."""

import re

import numpy as np
import pytest

from cleaner.evaluation import Host
from cleaner.training.formulas import FORMULAS, RELATED_HEADINGS, RELATED_LEADS
from cleaner.training.furniture import (
    Headlines,
    Page,
    _formula,
    furniture_records,
    pages_of,
    worded,
)

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
        article = [f"Opening {n}. More of it {n}.", f"Second paragraph {n}."]
        assert kept in (article, [host.title, *article])


def test_some_articles_without_a_title_open_with_their_headline(made):
    opening = [host.title in r["lines"] for host, r in zip(HOSTS, made, strict=True)]
    assert 0.05 < np.mean(opening) < 0.3
    assert not any(there and r["title"] for there, r in zip(opening, made, strict=True))


def test_every_kind_of_furniture_is_put_in_and_some_articles_stay_clean(made):
    by_kind = {record["kind"]: record for record in made}
    assert set(by_kind) == {
        "clean", "lines", "run", "frame", "formulas", "related", "form"
    }  # fmt: skip
    assert set(by_kind["clean"]["labels"]) == {0}
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


def test_headings_and_figures_of_an_articles_own_are_kept():
    headlines = Headlines(TITLES, np.zeros((len(TITLES), 4), np.float32))
    plain, headed = (
        list(furniture_records(HOSTS, PAGES, headlines, seed=3, headed=share)) for share in (0, 1)
    )
    own = [
        line
        for host, record in zip(HOSTS, headed, strict=True)
        for line, label in zip(record["lines"], record["labels"], strict=True)
        if label == 0 and line != host.title and not line.endswith(".")
    ]
    assert len(own) > len(HOSTS)
    assert any(re.fullmatch(r"Opening: \d+.*", line) for line in own)
    assert {"Second", "Second paragraph", "Opening"} <= set(own)
    assert not any(line[0].islower() or "::" in line for line in own)
    count = [sum(label == 0 for label in record["labels"]) for record in plain]
    assert sum(count) < 3 * len(HOSTS)


@pytest.mark.parametrize("texts", [FORMULAS, RELATED_LEADS, RELATED_HEADINGS])
def test_none_is_there_twice(texts):
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize("formula", FORMULAS)
def test_every_wording_of_a_formula_can_be_filled(formula, monkeypatch):
    monkeypatch.setattr("cleaner.training.furniture.FORMULAS", (formula,))
    texts = [_formula(np.random.default_rng(seed)) for seed in range(20)]
    assert not any(set(text) & set("{}[]|") for text in texts)
    assert not any("  " in text or text != text.strip() for text in texts)
    assert not any("the the" in text.casefold() for text in texts)


def test_each_wording_is_drawn():
    drawn = {worded("a[b|c[d|]]", np.random.default_rng(seed)) for seed in range(50)}
    assert drawn == {"ab", "acd", "ac"}


def test_what_stands_in_braces_is_filled_each_time_anew(monkeypatch):
    monkeypatch.setattr(
        "cleaner.training.furniture.FORMULAS", ("{TOPIC}: {topic}, {topic} {year}",)
    )
    texts = [_formula(np.random.default_rng(seed)) for seed in range(20)]
    assert all(re.fullmatch(r"[^a-z]+: .+, .+ (19|20)\d\d", text) for text in texts)
    assert len(set(texts)) == 20
