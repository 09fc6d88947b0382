"""LangChain and Haystack: documents with metadata, before a splitter."""

from __future__ import annotations

import asyncio

import pytest

from cleaner import Cleaner
from cleaner.errors import InputError, OptionError

pytestmark = pytest.mark.adapters


@pytest.fixture
def langchain():
    pytest.importorskip("langchain_core")
    from cleaner.adapters import langchain

    return langchain


@pytest.fixture
def haystack():
    pytest.importorskip("haystack")
    from cleaner.adapters import haystack

    return haystack


# --- LangChain ------------------------------------------------------------------------------------


def test_langchain_keeps_id_and_metadata(langchain, fast, seed):
    metadata = {"source": "a.html", "nested": {"n": [1]}}
    given = langchain.Document(seed, id="7", metadata=metadata)
    (cleaned,) = langchain.ArticleCleaner().transform_documents([given])
    assert cleaned.page_content == fast.clean(seed)
    assert cleaned.id == "7"
    assert cleaned.metadata == metadata
    cleaned.metadata["nested"]["n"].append(2)
    assert given.metadata["nested"]["n"] == [1]  # what was given is not changed
    assert given.page_content == seed


def test_langchain_explains_in_the_metadata(langchain, fast, seed):
    metadata = {"a": 1, "why": "the user's own, which is replaced"}
    documents = [langchain.Document(seed, metadata=metadata), langchain.Document("Short.")]
    cleaned, short = langchain.ArticleCleaner(explain=True).transform_documents(documents)
    found = [finding.to_dict() for finding in fast.clean_and_explain(seed).findings]
    assert cleaned.metadata == {"a": 1, "removed": found, "judged": True, "why": None}
    assert short.metadata["judged"] is False
    assert short.metadata["why"].startswith("fewer than")


def test_langchain_takes_the_title_from_the_metadata(langchain, seed):
    title, body = seed.split("\n")[0], "\n".join(seed.split("\n")[3:40])
    documents = [langchain.Document(body, metadata={"headline": title})]

    def scores(title_key):
        component = langchain.ArticleCleaner(title_key=title_key, threshold=0.0, explain=True)
        (cleaned,) = component.transform_documents(documents)
        return [finding["score"] for finding in cleaned.metadata["removed"]]

    low = Cleaner(threshold=0.0)
    found = low.clean_and_explain(body, title=title).findings
    assert scores("headline") == [finding.score for finding in found]
    assert scores(None) != scores("headline")


def test_langchain_without_waiting(langchain, fast, seed):
    documents = [langchain.Document(seed)]
    (cleaned,) = asyncio.run(langchain.ArticleCleaner().atransform_documents(documents))
    assert cleaned.page_content == fast.clean(seed)


def test_langchain_takes_nothing_and_any_sequence(langchain):
    assert langchain.ArticleCleaner().transform_documents([]) == []
    assert len(langchain.ArticleCleaner().transform_documents((langchain.Document("a"),))) == 1


def test_langchain_refuses_what_is_no_document(langchain):
    with pytest.raises(InputError, match=r"documents\[1\]: this is of type str"):
        langchain.ArticleCleaner().transform_documents([langchain.Document("a"), "b"])


# --- Haystack -------------------------------------------------------------------------------------


def run(component, *documents):
    return component.run(documents=list(documents))["documents"]


def test_haystack_keeps_meta_and_makes_a_new_id(haystack, fast, seed):
    given = haystack.Document(content=seed, meta={"nested": [1]}, score=0.5)
    (cleaned,) = run(haystack.ArticleCleaner(), given)
    assert cleaned.content == fast.clean(seed)
    assert cleaned.meta == {"nested": [1]}
    assert cleaned.score == 0.5
    assert cleaned.id != given.id
    cleaned.meta["nested"].append(2)
    assert given.meta == {"nested": [1]}
    assert given.content == seed


def test_haystack_keeps_the_id_if_asked(haystack, seed):
    given = haystack.Document(id="7", content=seed)
    assert run(haystack.ArticleCleaner(keep_id=True), given)[0].id == "7"


def test_haystack_gives_back_what_does_not_change(haystack):
    given = [haystack.Document(id="7", content="Short."), haystack.Document(content=None)]
    assert run(haystack.ArticleCleaner(), *given) == given


def test_haystack_explains_in_the_meta(haystack, fast, seed):
    documents = [haystack.Document(content=seed), haystack.Document(content=None)]
    cleaned, empty = run(haystack.ArticleCleaner(explain=True), *documents)
    found = [finding.to_dict() for finding in fast.clean_and_explain(seed).findings]
    assert cleaned.meta == {"removed": found, "judged": True, "why": None}
    assert empty.meta == {"removed": None, "judged": None, "why": None}
    assert empty.id == documents[1].id


def test_haystack_saves_and_loads_a_pipeline(haystack, fast, seed):
    from haystack import Pipeline
    from haystack.components.preprocessors import DocumentSplitter

    pipeline = Pipeline()
    component = haystack.ArticleCleaner(
        title_key="headline", explain=True, keep_id=True, threshold=0.9, keep=["a b c"]
    )
    pipeline.add_component("cleaner", component)
    pipeline.add_component("splitter", DocumentSplitter(split_by="line", split_length=10))
    pipeline.connect("cleaner", "splitter")
    again = Pipeline.loads(pipeline.dumps(), allowed_modules=["cleaner.adapters.haystack"])
    assert again.to_dict() == pipeline.to_dict()
    assert again.get_component("cleaner").options == component.options
    parts = again.run({"cleaner": {"documents": [haystack.Document(content=seed)]}})
    text = "".join(part.content for part in parts["splitter"]["documents"])
    assert text == fast.apply(fast.clean_and_explain(seed), threshold=0.9).text


def test_haystack_loads_the_model_when_warmed_up(haystack, monkeypatch):
    loaded = []
    monkeypatch.setattr("cleaner.cleaning.Cleaner.__init__", lambda *_, **k: loaded.append(k))
    component = haystack.ArticleCleaner(threshold=0.123)
    assert loaded == []
    component.warm_up()
    component.warm_up()
    assert [options["threshold"] for options in loaded] == [0.123]


def test_haystack_takes_nothing(haystack):
    assert run(haystack.ArticleCleaner()) == []


def test_haystack_refuses_what_is_no_document(haystack):
    with pytest.raises(InputError, match=r"documents\[0\]: this is of type str"):
        run(haystack.ArticleCleaner(), "a")


def test_haystack_makes_a_new_id_for_what_changes_alone(haystack, seed):
    given = [haystack.Document(id="7", content="Short."), haystack.Document(id="8", content=seed)]
    short, cleaned = run(haystack.ArticleCleaner(explain=True, drop=["Putin"]), *given)
    assert short.id == "7"
    assert cleaned.id != "8"


# --- both -----------------------------------------------------------------------------------------


@pytest.fixture(params=["langchain", "haystack"])
def host(request):
    """Make a document of a host, and clean what is given."""
    module = request.getfixturevalue(request.param)

    def clean(documents):
        if request.param == "langchain":
            return module.ArticleCleaner().transform_documents(documents)
        return module.ArticleCleaner().run(documents=documents)["documents"]

    field = {"langchain": "page_content", "haystack": "content"}[request.param]
    return lambda text: module.Document(**{field: text}), clean, field


def test_documents_may_come_from_a_generator(host, fast, seed):
    document, clean, field = host
    cleaned = clean(document(text) for text in [seed, "Short."])
    assert [getattr(found, field) for found in cleaned] == [fast.clean(seed), "Short."]


@pytest.mark.parametrize("wrong", [None, 7])
def test_one_document_is_no_list_of_documents(host, wrong):
    document, clean, _ = host
    with pytest.raises(InputError, match="documents is of type Document; give a list of "):
        clean(document("Short."))
    with pytest.raises(InputError, match="documents is of type"):
        clean(wrong)


@pytest.mark.parametrize("name", ["langchain", "haystack"])
def test_wrong_options_are_refused(name, request):
    with pytest.raises(OptionError, match="the threshold is 3"):
        request.getfixturevalue(name).ArticleCleaner(threshold=3)
