"""Documents made of clean articles: each of one pool, here of one fold, as a whole."""

import pytest

pytest.importorskip("sklearn")

from cleaner.evaluation import Host
from cleaner.sites import fold_of
from cleaner.training.examples import FOLDS
from cleaner.training.made import by_fold, digests, headlined, intruders

# Each sentence and headline says of which site it is.
ARTICLES = [
    Host(
        identity=f"article-{n}",
        title=f"News of site-{n % 20:02}.org, {n}",
        subject="",
        sentences=tuple(f"The site-{n % 20:02}.org has sentence {n}-{i}." for i in range(10)),
        paragraphs=tuple(i // 3 for i in range(10)),
        site=f"site-{n % 20:02}.org",
    )
    for n in range(200)
]
SITES = sorted({article.site for article in ARTICLES})


def test_every_fold_has_all_pieces_of_its_sites_and_no_other():
    folds = by_fold(ARTICLES)
    assert sorted(a.identity for own in folds for a in own) == sorted(a.identity for a in ARTICLES)
    for number, own in enumerate(folds):
        assert own
        assert {fold_of(article.site, FOLDS) for article in own} == {number}


@pytest.mark.parametrize(
    "documents",
    [
        pytest.param(intruders(by_fold(ARTICLES), 1), id="intruders"),
        pytest.param(headlined(by_fold(ARTICLES), 1), id="headlines"),
        pytest.param(digests(by_fold(ARTICLES), 60), id="digests"),
    ],
)
def test_what_is_put_together_is_of_one_fold(documents):
    strangers = 0
    for document in documents:
        named = {
            site for site in SITES if f"{site} " in document.text or f"{site}," in document.text
        }
        strangers += len(named) > 1
        assert document.site in SITES
        assert {fold_of(site, FOLDS) for site in named} <= {fold_of(document.site, FOLDS)}
    assert strangers > len(documents) / 3


def test_a_digest_holds_pieces_of_several_articles_and_nothing_is_to_go():
    made = digests(by_fold(ARTICLES), 60)
    assert len(made) == 60
    assert all(set(digest.labels) == {0} for digest in made)
    assert {digest.source for digest in made} == {"digest"}
    assert len({digest.text for digest in made}) == 60


def test_pools_of_too_few_articles_have_no_digests():
    assert digests(by_fold(ARTICLES[:5]), 9) == []
    assert len(digests([ARTICLES[:5], ARTICLES], 9)) == 9


def test_the_same_seed_gives_the_same_documents():
    assert intruders([ARTICLES], 1) == intruders([ARTICLES], 1)
    assert intruders([ARTICLES], 1) != intruders([ARTICLES], 2)
