"""The cleaner: what it does not judge, that nothing passes between documents, and its options."""

import gzip
import json
import os
import random
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hash_encoder import HashEncoder
from inputs import NAMED

import cleaner
from cleaner import Document, cleaning
from cleaner.adapters.options import CleanerOptions
from cleaner.cleaning import NO_SUSPICION, Cleaner
from cleaner.detector import LONGEST_FURNITURE, UNREAD
from cleaner.encoders import MODELS, detector_folder, transformer
from cleaner.errors import ModelError, OptionError
from cleaner.formats import decode
from cleaner.reasons import REASONS

ARTICLE = decode(NAMED["plain"])
FIXTURES = Path(__file__).parent.parent / "fixtures"
FAST = {
    "encoder": None, "threshold": None, "keep": (), "drop": (), "only": (), "exclude": (),
    "model": None,
}  # fmt: skip
NEWSLETTER = "JUNK Sign up for our newsletter and never miss a recipe."
GERMAN = (
    "Der Stadtrat hat am Montag beschlossen, die alte Hafenbrücke wieder aufzubauen.\n"
    "Die Arbeiten an der Brücke beginnen im März, teilte der Stadtrat mit.\n"
    "Ingenieure fanden im vergangenen Jahr Risse in zwei Pfeilern der Brücke.\n"
    "Die Hafenbrücke wurde 1931 gebaut und trägt täglich 40.000 Autos.\n"
    "Melden Sie sich für unseren Newsletter an und verpassen Sie kein Rezept.\n"
    "Der Verkehr wird während der Arbeiten über die nördliche Brücke geleitet.\n"
)


@pytest.fixture(scope="module")
def documents(seed):
    """Forty documents of many kinds, cut from the seed and the contract's inputs."""
    lines = seed.splitlines(keepends=True)
    cut = ["".join(lines[at : at + 18]) for at in range(0, 144, 9)]
    return [*cut, *(decode(NAMED[name]) for name in list(NAMED)[:23]), seed]


# What is not judged


@pytest.mark.parametrize("text", ["", "\n", "One line.\n", "One.\nTwo.\nThree.\nFour.\n"])
def test_short_documents_are_not_judged(fast, text):
    result = fast.clean_and_explain(text)
    assert not result.judged
    assert result.why == "fewer than 5 fragments"
    assert result.text == text
    assert [fragment.score for fragment in result.fragments] == [0.0] * len(result.fragments)


def test_other_languages_are_not_judged(fast):
    result = fast.clean_and_explain(GERMAN)
    assert not result.judged
    assert result.why == "language de: the encoder was made for en"
    assert result.text == GERMAN


def test_a_header_is_no_fragment(fast):
    header = "A bridge is built anew\n2022-02-15\nhttps://example.org/bridge\n"
    result = fast.clean_and_explain(header + ARTICLE)
    assert result.fragments[0].start == len(header)
    assert result.text.startswith(header)


def test_what_stands_among_the_lines_of_a_header_is_judged(fast):
    text = "Bridge anew\n2022-02-15\nBy Anna Smith\nhttps://example.org/bridge\n" + ARTICLE
    result = fast.clean_and_explain(text)
    shown = [text[fragment.start : fragment.end] for fragment in result.fragments]
    assert shown[0] == "By Anna Smith"
    assert "https://example.org/bridge" not in shown
    assert fast.apply(result, threshold=fast.threshold) == result


def test_the_title_given_is_no_fragment_where_the_text_opens_with_it(fast):
    text = "A bridge is built anew\n" + ARTICLE
    with_title = fast.clean_and_explain(text, title="A bridge is built anew")
    without = fast.clean_and_explain(text)
    assert len(with_title.fragments) == len(without.fragments) - 1


# Nothing passes from one document to the next


@pytest.mark.parametrize("batch", [1, 7, 32])
def test_the_batch_does_not_matter(fast, documents, batch):
    alone = [fast.clean_and_explain(text) for text in documents]
    assert list(fast.clean_many(documents, batch_documents=batch)) == alone


def test_the_order_does_not_matter(fast, documents):
    order = list(range(len(documents)))
    random.Random(3).shuffle(order)  # noqa: S311  # a shuffle that is the same every time
    straight = list(fast.clean_many(documents))
    mixed = list(fast.clean_many([documents[index] for index in order]))
    assert mixed == [straight[index] for index in order]


def test_another_cleaner_says_the_same(fast, documents):
    assert list(Cleaner().clean_many(documents[-3:])) == list(fast.clean_many(documents))[-3:]


def test_results_come_while_documents_go_in(fast):
    taken = []

    def stream():
        for number in range(100):
            taken.append(number)
            yield Document(ARTICLE, identity=str(number))

    results = fast.clean_many(stream(), batch_documents=4)
    assert next(results).identity == "0"
    assert len(taken) == 4


def test_no_documents(fast):
    assert list(fast.clean_many([])) == []


# What is to stay

# The BSD licence, three clauses.
LICENCE = """\
Redistribution and use in source and binary forms, with or without
modification, are permitted provided that the following conditions
are met:
1. Redistributions of source code must retain the above copyright
   notice, this list of conditions and the following disclaimer.
2. Redistributions in binary form must reproduce the above copyright
   notice, this list of conditions and the following disclaimer in the
   documentation and/or other materials provided with the distribution.
3. Neither the name of the University nor the names of its contributors
   may be used to endorse or promote products derived from this software
   without specific prior written permission.

THIS SOFTWARE IS PROVIDED BY THE REGENTS AND CONTRIBUTORS ``AS IS'' AND
ANY EXPRESS OR IMPLIED WARRANTIES, INCLUDING, BUT NOT LIMITED TO, THE
IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS FOR A PARTICULAR PURPOSE
ARE DISCLAIMED.  IN NO EVENT SHALL THE REGENTS OR CONTRIBUTORS BE LIABLE
FOR ANY DIRECT, INDIRECT, INCIDENTAL, SPECIAL, EXEMPLARY, OR CONSEQUENTIAL
DAMAGES (INCLUDING, BUT NOT LIMITED TO, PROCUREMENT OF SUBSTITUTE GOODS
OR SERVICES; LOSS OF USE, DATA, OR PROFITS; OR BUSINESS INTERRUPTION)
HOWEVER CAUSED AND ON ANY THEORY OF LIABILITY, WHETHER IN CONTRACT, STRICT
LIABILITY, OR TORT (INCLUDING NEGLIGENCE OR OTHERWISE) ARISING IN ANY WAY
OUT OF THE USE OF THIS SOFTWARE, EVEN IF ADVISED OF THE POSSIBILITY OF
SUCH DAMAGE.
"""


def test_a_licence_keeps_its_disclaimer_in_capitals(fast):
    result = fast.clean_and_explain(LICENCE)
    assert result.judged
    assert not result.findings


PARAGRAPHS = [
    f"The bridge at gate {number} is closed until May, the council says." for number in range(9)
]


@pytest.mark.parametrize(
    "text",
    [
        "<!DOCTYPE html>\n<title>Bridge</title>\n" + "\n".join(PARAGRAPHS),
        "\ufeff\n<HTML lang=en>" + "\n".join(PARAGRAPHS),
        '<?xml version="1.0"?>\n<!-- of May -->\n<!DOCTYPE html>\n' + "\n".join(PARAGRAPHS),
        "\r".join(f"<li>{paragraph}</li>" for paragraph in PARAGRAPHS),
        "\n".join(f"  <p class=a>{paragraph}</p>" for paragraph in PARAGRAPHS),
    ],
)
def test_the_source_of_a_page_is_kept(fast, text):
    result = fast.clean_and_explain(text)
    assert (result.text, result.why) == (text, "HTML: give the text of the page")


@pytest.mark.parametrize("line", ["<p> opens a paragraph.", "2 < 3", "<b>Bold</b>", "<- back"])
def test_an_article_about_markup_is_judged(fast, line):
    assert fast.clean_and_explain("\n".join([line, *PARAGRAPHS])).judged


def test_many_comments_are_soon_read(fast):
    text = "<!-- -->" * 20_000 + "\n".join(PARAGRAPHS)
    assert fast.clean_and_explain(text).why != "HTML: give the text of the page"


@pytest.mark.parametrize("mark", ["<Anna>", "<https://example.org/bridge>"])
def test_names_and_addresses_in_brackets_are_no_markup(fast, mark):
    assert fast.clean_and_explain("\n".join(f"{mark} {line}" for line in PARAGRAPHS)).judged


# Thresholds


@pytest.mark.parametrize("threshold", [0.0, 0.02, 0.3, 0.6, 0.9, 0.999, 1.0])
@pytest.mark.parametrize("title", [None, "Now Putin plays the peacemaker"])
def test_apply_is_a_cleaner_at_that_threshold(fast, seed, threshold, title):
    text = "Now Putin plays the peacemaker\n" + seed.split("\n", 3)[3]
    result = fast.clean_and_explain(text, title=title)
    expected = Cleaner(threshold=threshold).clean_and_explain(text, title=title)
    applied = fast.apply(result, threshold=threshold)
    assert applied.text == expected.text
    suspected = [finding for finding in expected.findings if finding.score >= NO_SUSPICION]
    assert [finding for finding in applied.findings if finding.evidence] == suspected


def test_apply_keeps_a_header(fast, seed):
    everything = fast.apply(fast.clean_and_explain(seed), threshold=0.0)
    assert everything.changed
    assert everything.text.splitlines()[:3] == seed.splitlines()[:3]
    assert everything.rebuild() == seed


def test_apply_leaves_what_was_not_judged(fast):
    result = fast.clean_and_explain(GERMAN)
    assert fast.apply(result, threshold=0.0) == result


def test_a_lower_threshold_removes_no_less(fast, seed):
    result = fast.clean_and_explain(seed)
    gone = [
        {finding.start for finding in fast.apply(result, threshold=threshold).findings}
        for threshold in (0.9, 0.5, 0.1)
    ]
    assert gone[0] <= gone[1] <= gone[2]


@pytest.mark.parametrize("threshold", [-0.1, 1.1, float("nan"), float("inf")])
def test_a_threshold_out_of_range(fast, threshold):
    with pytest.raises(OptionError, match="from 0 to 1"):
        Cleaner(threshold=threshold)
    with pytest.raises(OptionError, match="from 0 to 1"):
        fast.apply(fast.clean_and_explain(ARTICLE), threshold=threshold)


# Patterns and reasons


def test_drop():
    result = Cleaner(drop=["^JUNK"]).clean_and_explain(ARTICLE)
    assert NEWSLETTER not in result.text
    finding = next(f for f in result.findings if f.text.startswith("JUNK"))
    assert (finding.score, finding.reason) == (1.0, "pattern")


def test_a_cleaner_without_the_pattern_decides_anew(fast):
    """Scores outlive a pattern: it is told by the finding, and not by the fragment."""
    dropping = Cleaner(drop=["^JUNK", "council"])
    result = dropping.clean_and_explain(ARTICLE)
    assert fast.apply(result, threshold=fast.threshold) == fast.clean_and_explain(ARTICLE)
    assert dropping.apply(result, threshold=1.0).findings
    assert dropping.settled(result).count(True) == len(
        [finding for finding in result.findings if finding.reason == "pattern"]
    )


def test_patterns_see_the_fragment_alone():
    """`^`, `$` and what looks around itself stop at the fragment's edges."""
    text = ARTICLE.replace("\n", " ")
    assert "JUNK" not in Cleaner(drop=["^JUNK"]).clean(text)
    assert "JUNK" not in Cleaner(drop=[r"recipe\.$"]).clean(text)
    assert "JUNK" not in Cleaner(drop=[r"(?<!\s)JUNK"]).clean(text)
    assert "JUNK" in Cleaner(threshold=1.0, drop=["^Sign up"]).clean(text)


def test_drop_works_on_documents_that_are_not_judged():
    result = Cleaner(drop=["Newsletter"]).clean_and_explain(GERMAN)
    assert not result.judged
    assert result.text == "".join(
        line for line in GERMAN.splitlines(keepends=True) if "Newsletter" not in line
    )


def test_a_kept_pattern_wins():
    text = Cleaner(threshold=0.0, keep=["."], drop=["JUNK"]).clean(ARTICLE)
    assert text == ARTICLE


def test_only_and_exclude(fast, seed):
    result = fast.clean_and_explain(seed)
    reasons = {finding.reason for finding in result.findings}
    assert "off-topic" in reasons
    only = Cleaner(only=["off-topic"]).clean_and_explain(seed)
    assert {finding.reason for finding in only.findings} == {"off-topic"}
    without = Cleaner(exclude=["off-topic"]).clean_and_explain(seed)
    assert {finding.reason for finding in without.findings} == reasons - {"off-topic"}
    assert {f.start for f in only.findings} | {f.start for f in without.findings} == {
        f.start for f in result.findings
    }


def test_excluded_reasons_do_not_stop_a_drop():
    cleaner = Cleaner(only=["legal"], drop=["JUNK"])
    assert "JUNK" not in cleaner.clean(ARTICLE)


# Errors: what is wrong, and what to do


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"keep": ["("]}, r"keep: '\(' is no regular expression"),
        ({"drop": ["[z-a]"]}, "drop: .* is no regular expression"),
        ({"only": ["boring"]}, "'boring' is no reason; use one of off-topic"),
        ({"exclude": ["boring"]}, "'boring' is no reason"),
        ({"drop": "Advertisement"}, "drop is the string 'Advertisement'; give a list of them"),
        ({"threshold": "0.5"}, "threshold is '0.5', of type str; use a probability from 0 to 1"),
        ({"encoder": 3}, "encoder is of type int; give a name, a folder, or"),
        ({"model": 3}, "model is of type int; give the folder of a detector"),
        ({"only": "advert"}, "only is the string 'advert'; give a list"),
        ({"only": ["legal"], "exclude": ["legal"]}, "'legal' is both a reason to remove for and"),
        ({"drop": ["JUNK"], "exclude": ["pattern"]}, "patterns to drop, and 'pattern'"),
    ],
)
def test_options_that_are_not_one(options, says):
    with pytest.raises(OptionError, match=says):
        Cleaner(**options)
    with pytest.raises(OptionError, match=says):
        cleaner.clean(ARTICLE, **options)


@pytest.mark.parametrize("text", [None, b"bytes", ["a list"]])
def test_a_text_that_is_no_string(fast, text):
    with pytest.raises(OptionError, match="text is of type"):
        cleaner.clean(text)
    with pytest.raises(OptionError, match="title is of type"):
        fast.clean(ARTICLE, title=3)


def test_a_reason_settles_nothing_that_nobody_suspects():
    """Below a score of .05 no reason is sought, and none keeps what its score keeps."""
    cleaner = Cleaner(exclude=["off-topic"])
    result = cleaner.clean_and_explain(ARTICLE)
    settled = dict(zip((f.score for f in result.fragments), cleaner.settled(result), strict=True))
    assert {fixed for score, fixed in settled.items() if score < NO_SUSPICION} == {None}
    everything = cleaner.apply(result, threshold=0.0)
    assert {finding.reason for finding in everything.findings} <= set(REASONS) - {"off-topic"}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\u2028", "\x85"])
def test_a_text_of_more_lines_than_are_judged(fast, monkeypatch, end):
    monkeypatch.setattr(cleaning, "MOST_LINES", 60)
    text = end.join(["The council met on Monday to discuss the bridge."] * 61)
    assert fast.clean_and_explain(text).judged  # it ends in none: sixty line ends
    result = fast.clean_and_explain(text + end)
    assert (result.judged, result.why) == (False, "more than 60 lines")
    assert result.text == text + end


def test_functions_take_what_the_class_takes(fast):
    """Each set of options has a cleaner of its own, which is loaded once."""
    options = {"threshold": 0.0, "only": ["off-topic"], "exclude": ["legal"], "keep": ["JUNK"]}
    expected = Cleaner(**options).clean_and_explain(ARTICLE)
    assert cleaner.clean_and_explain(ARTICLE, **options) == expected
    assert cleaner.clean(ARTICLE, **options) == expected.text
    assert cleaner.clean(ARTICLE, threshold=0.0, drop=["."]).strip() == ""
    assert cleaner.clean(ARTICLE, model=fast._detector.folder) == fast.clean(ARTICLE)
    assert cleaner._cleaner(**FAST) is cleaner._cleaner(**FAST)
    assert cleaner._cleaner(**FAST) is not cleaner._cleaner(**FAST | {"only": ["advert"]})


def test_one_text_is_not_taken_for_many(fast):
    with pytest.raises(OptionError, match="documents is a string; give a list of them"):
        fast.clean_many(ARTICLE)


def test_a_title_in_other_words_does_not_take_the_topic_from_a_text(fast):
    """This one fits "Harlan Foods to close two Ohio plants" less than its paragraphs each other."""
    path = FIXTURES / "articles" / "furniture-usbusiness.txt"
    pairs = [line.split("|", 1) for line in path.read_text("utf-8").splitlines()]
    text = "".join(f"{line}\n" for _, line in pairs)
    title = pairs[0][1]
    result = fast.clean_and_explain(text, title=title)
    assert fast.clean_and_explain(text).judged
    assert result.judged
    assert "Advertisement" not in result.text.splitlines()


def test_titles_hardly_make_digests_into_articles(fast):
    pytest.importorskip("sklearn")
    from cleaner.training.datasets import hosts
    from cleaner.training.made import digests

    with gzip.open(FIXTURES / "labelled" / "wikipedia_clean.jsonl.gz") as stream:
        records = [r for r in map(json.loads, stream) if r["source"] == "wikipedia/en"]
    articles = hosts(records)
    made = digests([articles], 60)
    by_themselves = [fast.clean_and_explain(digest.text).judged for digest in made]
    titled = [
        fast.clean_and_explain(digest.text, title=articles[number % len(articles)].title).judged
        for number, digest in enumerate(made)
    ]
    assert sum(titled) <= sum(by_themselves) + 8


@pytest.mark.parametrize("size", [0, -1, 2.5, "3", None, True])
def test_no_batch(fast, size):
    with pytest.raises(OptionError, match=f"batch_documents is {size!r}; use 1 or more"):
        fast.clean_many([ARTICLE], batch_documents=size)


def test_the_folder_of_an_encoder_can_be_a_path(tmp_path, fast):
    folder = tmp_path / "encoder"
    shutil.copytree(MODELS / "fast" / "encoder", folder)
    model = MODELS / "fast" / "detector"
    assert Cleaner(encoder=folder, model=model).clean(ARTICLE) == fast.clean(ARTICLE)
    assert cleaner.clean(ARTICLE, encoder=folder, model=model) == fast.clean(ARTICLE)
    assert CleanerOptions(encoder=folder, model=model).encoder == str(folder)


def test_memory_that_runs_out_is_not_taken_for_a_damaged_model(monkeypatch):
    def exhausted(*_):
        raise MemoryError

    monkeypatch.setattr("cleaner.detector.read_knowledge", exhausted)
    with pytest.raises(MemoryError):
        Cleaner()


def test_an_empty_name_of_a_model():
    with pytest.raises(OptionError, match="the name of the model is empty; give a folder"):
        Cleaner(model="")


def test_an_encoder_without_a_detector():
    with pytest.raises(ModelError, match="no detector has been fitted for the encoder 'another'"):
        Cleaner(encoder="another")


@pytest.mark.accurate
def test_the_folder_of_its_weights_is_the_accurate_encoder():
    weights = transformer._packaged_weights()
    if weights is None:
        pytest.skip("the weights are not installed")
    assert detector_folder(str(weights)) == MODELS / "accurate" / "detector"
    assert Cleaner(encoder=str(weights)).encoder_name == "accurate"


def test_a_folder_of_other_weights_is_not_the_accurate_encoder(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"other")
    with pytest.raises(ModelError, match="no detector has been fitted for the encoder"):
        Cleaner(encoder=str(tmp_path))


def test_a_folder_that_is_no_detector(tmp_path):
    with pytest.raises(ModelError, match="cannot read the detector") as caught:
        Cleaner(model=tmp_path)
    assert caught.value.place == str(tmp_path)


@pytest.mark.parametrize(
    ("figures", "says"),
    [
        ({"threshold": "high"}, "its threshold is 'high'"),
        ({"threshold": 7}, "its threshold is 7"),
        ({"threshold": True}, "its threshold is True"),
        ({"threshold": float("nan")}, "its threshold is nan"),
        ({"calibration": {"slope": float("nan"), "intercept": 0.0}}, "its calibration is"),
        ({"languages": "english"}, "its languages are 'english'"),
        ({"evidence": None}, "it does not list its evidence"),
        ({"calibration": None}, "cannot read the detector"),
    ],
)
def test_a_manifest_without_its_figures(tmp_path, fast, figures, says):
    for file in fast._detector.folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    (tmp_path / "manifest.json").write_text(json.dumps({**manifest, **figures}))
    with pytest.raises(ModelError, match=says):
        Cleaner(model=tmp_path)


def test_a_detector_of_another_version(tmp_path, fast):
    for file in fast._detector.folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    manifest["evidence"].insert(3, "phase_of_the_moon")
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ModelError, match="fitted on other evidence"):
        Cleaner(model=tmp_path)


def test_an_encoder_of_another_size(fast):
    class Narrow(HashEncoder):
        name = "narrow"
        dimensions = 3

    with pytest.raises(ModelError, match="the encoder 'narrow' gives 3"):
        Cleaner(encoder=Narrow(), model=fast._detector.folder)


def test_a_vector_that_is_not_finite_spoils_no_other_fragment(fast, monkeypatch):
    encode = fast._encoder.encode_documents
    first, *_ = fast.clean_and_explain(ARTICLE).fragments

    def with_a_gap(value):
        def encoded(documents):
            vectors = encode(documents)
            vectors[0][0] = value
            return vectors

        return encoded

    results = []
    for value in (0.0, np.nan, np.inf):
        monkeypatch.setattr(fast._encoder, "encode_documents", with_a_gap(value))
        results.append(fast.clean_and_explain(ARTICLE))
    assert results[1] == results[2] == results[0]
    assert results[0].fragments[0] != first


def test_threads_share_a_cleaner():
    articles = [
        "\n".join(f"{word}{number} bridge of the town is closed." for number in range(at, at + 9))
        for at, word in enumerate(NAMED)
    ]
    expected = [Cleaner().clean_and_explain(text) for text in articles]
    shared = Cleaner()
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(shared.clean_and_explain, articles)) == expected
    assert [shared.clean_and_explain(text) for text in articles] == expected


FORKED = """
import os, sys, threading
from cleaner import Cleaner
cleaner = Cleaner()
text = "\\n".join(f"The bridge {n} of the town is closed." for n in range(9))
table = cleaner._detector._lexicon._table
compute, inside, forked = table._compute, threading.Event(), threading.Event()
def slow(words):
    inside.set()
    forked.wait(1.0)  # the fork must wait for this thread, or its child waits for ever
    return compute(words)
table._compute = slow
other = threading.Thread(target=cleaner.clean, args=(text.replace("bridge", "zeppelin"),))
other.start()
inside.wait()
child = os.fork()
if not child:
    table._compute = compute
    cleaner.clean(text)
    os._exit(0)
forked.set()
other.join()
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks")
def test_a_child_of_a_fork_cleans_though_a_thread_was_cleaning():
    done = subprocess.run([sys.executable, "-c", FORKED], timeout=60, check=False)
    assert done.returncode == 0


def test_threads_that_begin_together_leave_the_libraries_as_they_were():
    program = """
import threading
import numpy
from cleaner.threads import one_thread
from threadpoolctl import threadpool_info

def threads():
    return {i["num_threads"] for i in threadpool_info() if i["user_api"] == "blas"}

def enter():
    together.wait()
    with one_thread():
        within.update(threads())

together, within, before = threading.Barrier(4), set(), threads()
started = [threading.Thread(target=enter) for _ in range(4)]
for thread in started:
    thread.start()
for thread in started:
    thread.join()
print(before, within, threads())
"""
    command = [sys.executable, "-c", program]
    wanted = os.environ | {"OPENBLAS_NUM_THREADS": "2"}
    ran = subprocess.run(command, capture_output=True, text=True, check=True, env=wanted)
    assert ran.stdout == "{2} {1} {2}\n"


def test_what_goes_below_any_suspicion_has_its_evidence():
    result = Cleaner(threshold=0.0).clean_and_explain(ARTICLE)
    assert any(finding.score < NO_SUSPICION for finding in result.findings)
    assert all(finding.evidence for finding in result.findings)


def test_what_a_pattern_drops_has_no_evidence():
    everything = Cleaner(threshold=0.0, drop=["."]).clean_and_explain(ARTICLE)
    assert {(f.score, f.reason, len(f.evidence)) for f in everything.findings} == {
        (1.0, "pattern", 0)
    }


@pytest.mark.parametrize("option", ["keep", "drop"])
def test_patterns_come_in_any_iterable(option):
    listed, iterated = (Cleaner(**{option: form(["bridge"])}) for form in (list, iter))
    assert iterated.clean_and_explain(ARTICLE) == listed.clean_and_explain(ARTICLE)
    assert getattr(iterated, f"_{option}")


def test_a_model_that_is_trained_again_is_loaded_again(tmp_path, fast):
    folder = shutil.copytree(fast._detector.folder, tmp_path / "model")
    assert cleaner.clean(ARTICLE, model=folder) != ARTICLE
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest | {"threshold": 1.0}))
    assert cleaner.clean(ARTICLE, model=folder) == ARTICLE


def test_a_file_of_another_detector(tmp_path, fast):
    folder = shutil.copytree(fast._detector.folder, tmp_path / "model")
    shutil.copyfile(folder / "network.npz", folder / "furniture.npz")
    with pytest.raises(ModelError, match=r"furniture\.npz is not the file that was written"):
        Cleaner(model=folder)


# Start-up


def run(program):
    command = [sys.executable, "-c", program]
    return subprocess.run(command, capture_output=True, text=True, check=True)


def test_the_default_run_loads_no_heavy_library():
    program = (
        "import sys, cleaner\n"
        f"cleaner.clean({ARTICLE!r})\n"
        "heavy = {'torch', 'sklearn', 'scipy', 'transformers', 'sentence_transformers', 'onnx'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    ran = run(program)
    assert ran.stdout == "[]\n"
    assert ran.stderr == ""


def test_the_import_alone_loads_no_model():
    program = "import sys, cleaner; print(sorted({'onnxruntime', 'tokenizers'} & set(sys.modules)))"
    ran = run(program)
    assert ran.stdout == "[]\n"


def test_a_run_leaves_nothing_at_home_and_nothing_in_the_temporary_folder(tmp_path):
    program = "import cleaner; cleaner.clean('The bridge is closed. It is old.\\n' * 9)"
    places = {name: str(tmp_path / name.lower()) for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME")}
    for place in places.values():
        Path(place).mkdir()
    command = [sys.executable, "-c", program]
    subprocess.run(command, check=True, env={**os.environ, **places})
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_what_was_not_read_to_the_end_is_no_furniture(fast):
    article = "".join(f"The council met on day {n} to talk about the bridge.\n" for n in range(8))
    long = "Sign up for our newsletter. " + "x" * 20_000
    detector = fast._detector
    encoded = fast._encode([cleaning._prepare(Document(article + long + "\n"), ("en",))])
    log_odds = detector.score(encoded)[0].observed.columns["furniture"]
    lengths = encoded[0].segments.ends - encoded[0].segments.starts
    assert (lengths > LONGEST_FURNITURE).any()
    assert log_odds[lengths > LONGEST_FURNITURE].max() <= UNREAD
