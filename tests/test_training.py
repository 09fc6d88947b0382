"""`cleaner train`: what it reads, what it makes, and what it refuses."""

import gzip
import io
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import zstandard
from click.testing import CliRunner

pytest.importorskip("sklearn")
pytest.importorskip("onnx")

from cleaner.cleaning import Cleaner
from cleaner.cli import main
from cleaner.detector import Detector
from cleaner.encoders import MODELS, load_encoder
from cleaner.errors import InputError, ModelError, OptionError, OutputError
from cleaner.evaluation import Figures
from cleaner.evaluation.measure import Dataset, evaluate
from cleaner.evaluation.reader import labelled_of, read_labelled
from cleaner.sites import fold_of, site_of
from cleaner.training import adapt, held_out
from cleaner.training.examples import prepare
from cleaner.training.folder import check_folder, whole_folder
from cleaner.training.sources import (
    CleanArticle,
    TrainingData,
    hosts_of,
    languages_of,
    read_training_data,
)
from cleaner.training.text_encoder import vocabulary
from cleaner.training.train import TrainSettings, _made, train, write

LABELLED = Path(__file__).parent.parent / "fixtures" / "labelled"


def records(name):
    with gzip.open(LABELLED / f"{name}.jsonl.gz", "rt", encoding="utf-8") as stream:
        return [json.loads(line) for line in stream]


def write_jsonl(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def wikipedia(*languages):
    """Clean articles of these languages, as records."""
    wanted = tuple(f"wikipedia/{language}" for language in languages)
    return [
        {"id": r["id"], "title": r["title"], "lines": r["lines"]}
        for r in records("wikipedia_clean")
        if r["source"] in wanted
    ]


# Reading


def test_every_form_is_read(tmp_path):
    text = tmp_path / "article.txt"
    text.write_text("A bridge is built\n2022-02-15\n\nFirst line.\r\n\n Second line. \n", "utf-8")
    rows = write_jsonl(
        tmp_path / "rows.jsonl",
        [
            {"text": "One.\nTwo.\n", "title": "T", "topic": "bridges"},
            {"id": 7, "lines": ["One."]},
            {"lines": ["One.", "Ad."], "labels": [0, 1]},
            {"text": "One.\nAd.\n", "spans": [{"start": 5, "end": 8, "label": 1}]},
        ],
    )
    data = read_training_data([text, rows])
    assert data.articles[0].title == "A bridge is built"
    assert [article.lines for article in data.articles] == [
        ("First line.", "Second line."),
        ("One.", "Two."),
        ("One.",),
    ]
    assert (data.articles[1].subject, data.articles[2].identity) == ("bridges", "7")
    assert [document.labels for document in data.labelled] == [(0, 1), (-1, 1, -1)]
    assert [body.lines for body in data.bodies][3:] == [("One.",), ()]


def test_records_come_compressed_and_on_standard_input(tmp_path, monkeypatch):
    line = b'{"text": "One."}\n'
    path = tmp_path / "rows.jsonl.zst"
    path.write_bytes(zstandard.compress(line))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(line * 2)))
    data = read_training_data([path, "-"])
    assert [article.identity for article in data.articles] == [
        f"{path}:1",
        "standard input:1",
        "standard input:2",
    ]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"words": 1}, 'neither "text" nor a list of "lines"'),
        ({"lines": [1]}, 'neither "text" nor a list of "lines"'),
        ({"text": "x", "title": 1}, '"title" is no text'),
        ({"lines": ["x"], "labels": [7]}, "7 is no label"),
    ],
)
def test_a_bad_record_is_named(tmp_path, row, says):
    path = write_jsonl(tmp_path / "a.jsonl", [{"text": "fine"}, row])
    with pytest.raises(InputError, match=r"a\.jsonl:2: ") as caught:
        read_training_data([path])
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("a.json", b'[{"text": "One."}]', "looks like JSON"),
        ("a.png", b"\x89PNG\r\n\x1a\n" + bytes(99), "looks like"),
        ("a.txt", "One.".encode("utf-16"), "looks like UTF-16"),
        ("a.txt.gz", b"One.", "gz"),
        ("a.parquet", b"PAR1", "Parquet is not learned from"),
    ],
)
def test_what_is_no_text_is_no_article(tmp_path, name, data, says):
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(InputError, match=says) as caught:
        read_training_data([path])
    assert str(path) in str(caught.value)
    assert "as records in a .jsonl file" in str(caught.value)
    assert "--" not in str(caught.value)


def test_documents_of_one_source_are_kept_apart_one_by_one(tmp_path):
    row = {"source": "mine", "lines": ["x"], "labels": [1]}
    few = read_training_data([write_jsonl(tmp_path / "a.jsonl", [row] * 3)])
    assert len({document.site for document in few.labelled}) == 3
    many = [{**row, "url": f"https://a{n}.org/"} for n in range(9)] * 2
    data = read_training_data([write_jsonl(tmp_path / "b.jsonl", many)])
    assert len({document.site for document in data.labelled}) == 9


def test_a_document_is_read_as_it_is_when_it_is_cleaned():
    """The lines of its header are no fragments, and its title is known by them."""
    from cleaner.cleaning import title_and_segments
    from cleaner.document import Document
    from cleaner.evaluation import compose

    body = [f"The bridge over the river is {n} metres long." for n in range(8)]
    lines = ["The bridge over the river is built", "20220215", *body]
    labels = [0] * 9 + [1]
    document = compose({"id": "a", "lines": lines, "labels": labels})
    (example,) = prepare([document], load_encoder("fast"))
    title, segments = title_and_segments(Document(document.text), language="en")
    assert (title, list(segments.texts)) == (lines[0], body)
    assert (example.encoded.title, list(example.segments.texts)) == (lines[0], body)
    assert example.labels.tolist() == [0] * 7 + [1]
    assert np.array_equal(example.encoded.title_vector, load_encoder("fast").encode([title])[0])


def test_some_scrapes_are_learned_from_without_their_title():
    from cleaner.training.datasets import _some_untitled

    record = {"title": "T", "lines": ["Menu"], "labels": [1]}
    shown = [_some_untitled({**record, "id": str(n)})["title"] for n in range(1_000)]
    assert 650 < shown.count("T") < 750


@pytest.mark.parametrize(
    ("lines", "labels", "learned"),
    [
        pytest.param("menu headline body", [1, 1, 0], [1, 0, 0], id="called furniture"),
        pytest.param("menu headline headline body", [1, 1, 1, 0], [1, -1, 0, 0], id="the last one"),
        pytest.param("headline body headline", [0, 0, 1], [0, 0, -1], id="not one below the body"),
        pytest.param("body headline", [0, 1], [0, -1], id="nothing said of one below the body"),
        pytest.param("menu body menu", [1, 0, 1], [1, 0, 1], id="none"),
    ],
)
def test_a_headline_belongs_to_an_article_that_is_learned_from_without_its_title(
    lines, labels, learned
):
    from cleaner.training.datasets import _headline_kept

    texts = {"menu": "Menu", "headline": "THE BRIDGE: BUILT", "body": "The bridge is long. " * 5}
    record = {"title": "The bridge, built", "lines": [texts[name] for name in lines.split()]}
    assert _headline_kept({**record, "labels": labels}) == learned


def test_languages_are_identified_and_strays_left_out():
    articles = [
        CleanArticle(row["id"], "", "", tuple(row["lines"]))
        for row in [*wikipedia("es"), *wikipedia("de")[:20], *wikipedia("ru")[:2]]
    ]
    assert languages_of(articles) == ("es", "de")
    assert languages_of([CleanArticle("x", "", "", ("12345",))]) == ()


def test_what_is_made_of_a_labelled_document_is_of_its_site():
    """Else the text of a site would be learned from on one side, and measured on the other."""
    lines = [f"The bridge over the river is {n} metres long." for n in range(12)]
    labelled = [
        labelled_of(
            {"id": f"{n}", "url": f"https://a{n}.org/", "lines": lines, "labels": [0] * 12},
            place="a.jsonl:1",
        )
        for n in range(30)
    ]
    bodies = TrainingData((), tuple(labelled)).bodies
    documents = _made(hosts_of(bodies, language="en"), "en")
    of_hosts = [document for document in documents if document.source != "digest"]
    assert len(of_hosts) >= 3 * len(labelled)
    assert all(document.site == f"a{document.identity}.org" for document in of_hosts)


def test_headlines_of_another_language_have_no_english_lead():
    articles = hosts_of(
        (CleanArticle(r["id"], r["title"], "", tuple(r["lines"])) for r in wikipedia("es")),
        language="es",
    )
    titles = {article.title.casefold() for article in articles}
    headlines = [document for document in _made(articles, "es") if document.source == "headlines"]
    lines = [
        document.text[span.start : span.end].casefold()
        for document in headlines
        for span, label in zip(document.spans, document.labels, strict=True)
        if label == 1
    ]
    assert lines
    assert set(lines) <= titles


# Folders


def test_a_folder_is_there_whole_or_not_at_all(tmp_path):
    target = tmp_path / "model"

    def failing():
        with whole_folder(target) as folder:
            (folder / "half").write_text("x", "utf-8")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        failing()
    assert list(tmp_path.iterdir()) == []
    for text in ("one", "two"):
        with whole_folder(target) as folder:
            (folder / "manifest.json").write_text('{"made_by": "me"}', "utf-8")
            (folder / text).write_text(text, "utf-8")
    assert sorted(path.name for path in target.iterdir()) == ["manifest.json", "two"]
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("ended", [KeyboardInterrupt, OSError])
def test_the_model_that_was_there_outlives_one_that_cannot_take_its_place(
    tmp_path, monkeypatch, ended
):
    target = tmp_path / "model"
    target.mkdir()
    (target / "manifest.json").write_text('{"made_by": "me"}', "utf-8")
    rename = Path.rename

    def interrupted(path, to):
        if path.suffix == ".new":
            raise ended
        return rename(path, to)

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises((KeyboardInterrupt, OutputError)), whole_folder(target):
        pass
    assert [path.name for path in tmp_path.rglob("*")] == ["model", "manifest.json"]


def test_what_training_did_not_make_is_not_replaced(tmp_path):
    check_folder(tmp_path)  # empty
    (tmp_path / "letters.txt").write_text("mine", "utf-8")
    with pytest.raises(OptionError, match="training did not make"):
        check_folder(tmp_path)
    with pytest.raises(OptionError), whole_folder(tmp_path):
        pass
    assert (tmp_path / "letters.txt").read_text("utf-8") == "mine"


def test_a_link_to_a_model_stays_one(tmp_path):
    real, link = tmp_path / "real", tmp_path / "link"
    real.mkdir()
    link.symlink_to(real)
    with whole_folder(link) as folder:
        (folder / "manifest.json").write_text('{"made_by": "x"}', "utf-8")
    assert link.is_symlink()
    assert [path.name for path in real.iterdir()] == ["manifest.json"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "real"]


def test_the_folder_that_is_worked_in_is_not_replaced(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OptionError, match="worked in is not replaced"):
        check_folder(Path())


def test_bytes_that_are_no_utf8_can_be_learned_from(tmp_path):
    latin = tmp_path / "latin.txt"
    latin.write_bytes(b"Caf\xe9 society returns. Half a face is left.\n" * 8)
    records = write_jsonl(tmp_path / "a.jsonl", [{"id": "a", "lines": ["Half a face \ud83d."] * 8}])
    articles = read_training_data([latin, records]).articles
    assert [len(host.sentences) for host in hosts_of(articles, language="en")] == [16, 8]
    vocabulary((line for article in articles for line in article.lines), size=100)


def test_a_folder_that_cannot_be_made_is_told_before_anything_is_read(tmp_path):
    path = write_jsonl(tmp_path / "a.jsonl", [{"words": 1}])
    arguments = ["train", "--encoder", "fast", str(path), "-o", str(path / "inside")]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 1
    assert f"{path / 'inside'}: cannot be written" in done.stderr


def test_an_encoder_that_is_not_there_is_told_before_anything_is_read(tmp_path):
    path = write_jsonl(tmp_path / "a.jsonl", [{"words": 1}])
    arguments = ["train", "--encoder", "nosuch", str(path), "-o", str(tmp_path / "out")]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 1
    assert "there is no encoder 'nosuch'; use fast, accurate, a model folder" in done.stderr


# A detector for an encoder


@pytest.fixture(scope="module")
def spanish(tmp_path_factory):
    """A small detector for Spanish and German: the fast encoder's folder, few trees."""
    folder = tmp_path_factory.mktemp("train")
    path = write_jsonl(folder / "articles.jsonl", wikipedia("es", "de"))
    settings = TrainSettings(encoder=str(MODELS / "fast" / "encoder"), trees=(20, 20), axes=16)
    said = []
    trained = train(read_training_data([path]), settings, say=said.append)
    write(trained, settings, folder / "detector", data=[path])
    return folder / "detector", trained, said


def test_without_labels(spanish):
    folder, trained, said = spanish
    assert trained.languages == ("de", "es")
    assert trained.documents == {"digest": 7, "headlines": 96, "intruders": 192}
    assert trained.figures["intruders"].average_precision > 0.3
    assert "96 articles" in said[0]
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    assert manifest["encoder"] == "encoder"
    assert manifest["languages"] == ["de", "es"]
    assert manifest["data"] == ["articles.jsonl"]


def test_the_folder_alone_is_enough_and_says_its_languages(spanish, tmp_path):
    moved = tmp_path / "elsewhere"
    spanish[0].rename(moved)
    try:
        own = Cleaner(model=moved)
        assert own.encoder_name.endswith("encoder")
        texts = {r["source"][-2:]: "\n".join(r["lines"]) for r in records("wikipedia_clean")[:6]}
        judged = {code: own.clean_and_explain(text) for code, text in texts.items()}
        assert {code for code, result in judged.items() if result.judged} == {"de", "es"}
        assert "language en: the encoder was made for de, es" in judged["en"].why
        again = own.apply(judged["es"], threshold=own.threshold)
        assert again == judged["es"]
    finally:
        moved.rename(spanish[0])


def test_with_labels():
    clean = tuple(CleanArticle(r["id"], r["title"], "", tuple(r["lines"])) for r in wikipedia("en"))
    labelled = read_labelled(LABELLED / "wcxb_extracted.jsonl.gz")
    # One may have a source of the name of documents that are made: it is labelled all the same.
    named = (replace(d, source="digest") for d in labelled if len(d.spans) < 60)
    data = TrainingData(clean, tuple(named))
    assert data.labelled
    settings = TrainSettings("fast", trees=(5, 5), axes=16)
    trained = train(data, settings, say=lambda _: None)
    assert set(trained.figures) == {"digest", "headlines", "intruders", "labelled"}
    assert trained.languages == ("en",)
    assert trained.fitted.knowledge.wording.any()


def test_same_data_same_detector():
    rows = wikipedia("en")
    articles = tuple(CleanArticle(r["id"], r["title"], "", tuple(r["lines"])) for r in rows)
    more = tuple(replace(a, identity=f"{a.identity}b", lines=a.lines[::-1]) for a in articles)
    data = TrainingData(articles + more, ())
    settings = TrainSettings("fast", trees=(3, 3), axes=8, limit=50)
    one, two = (train(data, settings, say=lambda _: None) for _ in range(2))
    assert one.figures == two.figures
    for a, b in zip(one.fitted.scores, two.fitted.scores, strict=True):
        assert np.array_equal(a, b)


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([{"text": "One."}] * 3, "3 articles, at least 50 are needed"),
        ([{"text": "One short line."}] * 60, "0 articles of eight sentences or more, at least 50"),
        ([{"text": "1 2 3"}] * 60, "language cannot be told"),
        ([{"lines": ["x"], "labels": [0]}] * 60, "of 60 labelled lines none is to be removed"),
        ([{"lines": ["x"], "labels": [1]}] * 60, "of 60 labelled lines none is to be kept"),
    ],
)
def test_data_from_which_nothing_can_be_learned(tmp_path, rows, says):
    path = write_jsonl(tmp_path / "a.jsonl", rows)
    done = CliRunner().invoke(
        main, ["train", "--encoder", "fast", str(path), "-o", str(tmp_path / "out")]
    )
    assert done.exit_code == 1
    assert says in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "one of --encoder and --base is needed"),
        (["--encoder", "fast", "--base", "fast"], "one of --encoder and --base is needed"),
        (["--encoder", "fast", "--threshold", "2"], "--threshold"),
        (["--base", "fast", "--axes", "3"], "--base and --axes do not go together"),
        (["--base", "fast", "--limit", "1"], "--base and --limit do not go together"),
    ],
)
def test_usage_errors(tmp_path, arguments, says):
    path = write_jsonl(tmp_path / "a.jsonl", [])
    done = CliRunner().invoke(main, ["train", *arguments, str(path), "-o", str(tmp_path / "out")])
    assert done.exit_code == 2
    assert says in done.stderr


# On top of a fitted detector

STANDING = "The harbour desk of this paper keeps its own count of ships, week by week."


def with_a_standing_line(rows, *, label):
    """Clean articles, into each of which one line is put that the user wants gone (or kept)."""
    made_rows = []
    for number, row in enumerate(rows):
        lines = list(row["lines"])
        at = 1 + number % (len(lines) - 1)
        labels = [0] * (len(lines) + 1)
        lines.insert(at, STANDING)
        labels[at] = label
        made_rows.append({"id": row["id"], "title": row["title"], "lines": lines, "labels": labels})
    return made_rows


def test_what_the_user_wants_gone_goes(tmp_path, fast):
    rows = with_a_standing_line(wikipedia("en"), label=1)
    path = write_jsonl(tmp_path / "labelled.jsonl", rows[:44])
    apart = write_jsonl(tmp_path / "apart.jsonl", rows[44:])
    out = tmp_path / "detector"
    done = CliRunner().invoke(main, ["train", "--base", "fast", str(path), "-o", str(out)])
    assert done.exit_code == 0, done.output
    assert "before" in done.stdout
    assert "after" in done.stdout
    manifest = json.loads((out / "manifest.json").read_text("utf-8"))
    assert manifest["adapted"]["trees"] > 0
    assert manifest["adapted"]["log_loss"][1] < manifest["adapted"]["log_loss"][0]
    assert manifest["encoder"] == "fast"
    dataset = Dataset("apart", list(read_labelled(apart)))
    before, after = (evaluate(c, [dataset]).overall for c in (fast, Cleaner(model=out)))
    assert after.recall > before.recall
    assert after.average_precision >= before.average_precision
    assert after.lost <= before.lost + 0.002


@pytest.fixture(scope="module")
def adapted(tmp_path_factory):
    rows = with_a_standing_line(wikipedia("en"), label=1)
    path = write_jsonl(tmp_path_factory.mktemp("adapt") / "labelled.jsonl", rows)
    data = read_training_data([path])
    return data, adapt.adapt(data, "fast", say=lambda _: None)


def test_the_base_s_trees_stay_and_the_new_ones_follow(adapted):
    folder = MODELS / "fast" / "detector"
    with np.load(folder / "trees.npz") as stored:
        base = {name[7:]: stored[name] for name in stored.files if name.startswith("second_")}
    own = adapted[1].second
    assert len(own["starts"]) == len(base["starts"]) + adapted[1].trees
    for name in ("feature", "threshold", "left", "right", "value"):
        assert np.array_equal(own[name][: len(base[name])], base[name])


def test_of_the_base_only_its_own_files_come_along_and_may_be_written_to(adapted, tmp_path):
    base = tmp_path / "base"
    shutil.copytree(MODELS / "fast" / "detector", base)
    (base / "notes.txt").write_text("mine", "utf-8")
    for path in (*base.iterdir(), base):
        path.chmod(0o555 if path.is_dir() else 0o444)
    adapt.write(replace(adapted[1], base=base), tmp_path / "detector", data=["x"])
    written = {path.name: path for path in (tmp_path / "detector").iterdir()}
    assert set(written) == {path.name for path in base.iterdir()} - {"notes.txt"}
    assert all(path.stat().st_mode & 0o200 for path in (*written.values(), tmp_path / "detector"))


def test_a_folder_that_is_called_as_an_encoder_that_ships_is_none(adapted, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fast").mkdir()
    adapt.write(adapted[1], tmp_path / "detector", data=["x"])
    assert json.loads((tmp_path / "detector" / "manifest.json").read_text())["encoder"] == "fast"


def test_arrays_onnx_and_contributions_agree(adapted, tmp_path):
    data, found = adapted
    adapt.write(found, tmp_path / "detector", data=["x"])
    detector = Detector.load(tmp_path / "detector")
    example = prepare(data.labelled[:1], load_encoder("fast"))[0]
    (scored,) = detector.score([example.encoded])
    matrix = scored.observed.matrix()
    log_odds = adapt.predict(found.second, matrix)
    assert np.allclose(log_odds, detector._second.log_odds(scored.observed), atol=1e-4)
    # What a path adds to its root's value is its leaf's value: contributions add up.
    starts = found.second["starts"]
    for tree in (0, len(starts) - 2):
        nodes = slice(starts[tree], starts[tree + 1])
        inner = found.second["feature"][nodes] >= 0
        children = np.stack([found.second[side][nodes][inner] for side in ("left", "right")])
        value = found.second["value"][nodes]
        low, high = value[children].min(0), value[children].max(0)
        assert np.all((value[inner] >= low - 1e-9) & (value[inner] <= high + 1e-9))


def found_figures(lost):
    return Figures(0.9, 0.9, 0.5, 0.6, lost, 0.4)


@pytest.mark.parametrize(
    ("before", "after", "trees", "lost", "says"),
    [
        ([0.3, 0.2, 0.4], [0.3, 0.2, 0.4], 0, 0.0, "no sure gain"),
        ([0.3, 0.2, 0.4], [0.1, 0.4, 0.3], 9, 0.0, "no sure gain"),  # by chance: it varies too much
        ([0.3, 0.2, 0.4], [0.2, 0.1, 0.3], 9, 0.02, "more content would be lost"),
    ],
)
def test_trees_that_do_not_help_are_refused(before, after, trees, lost, says):
    losses = np.array(before), np.array(after)
    with pytest.raises(ModelError, match=says) as caught:
        adapt.check_gain(losses, trees, found_figures(0.001), found_figures(lost))
    assert "nothing is written" in str(caught.value)


def test_trees_that_help_are_not_refused():
    losses = np.array([0.3, 0.2, 0.4]), np.array([0.2, 0.1, 0.3])
    adapt.check_gain(losses, 9, found_figures(0.001), found_figures(0.0015))


def test_what_the_base_knows_already_brings_next_to_nothing(tmp_path):
    """Clean articles and one foreign line each that the base is sure of, too: no line is lost."""
    rows = with_a_standing_line(wikipedia("en"), label=0)
    for row in rows:
        row["lines"].append("Sign up for our newsletter")
        row["labels"].append(1)
    data = read_training_data([write_jsonl(tmp_path / "a.jsonl", rows)])
    found = adapt.adapt(data, "fast", say=lambda _: None)
    assert found.after.lost <= found.before.lost
    assert found.loss[1] < found.loss[0]


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([{"text": "x"}], "has no labels"),
        ([{"lines": ["x"], "labels": [1]}], "too few labelled documents: 1, where 10 are needed"),
        (
            [
                {"lines": ["x"] * 20, "labels": [1] * 10 + [0] * 10},
                *[{"lines": ["x"], "labels": [-1]}] * 12,
            ],
            "too few labelled documents: 1, where 10 are needed",
        ),
        ([{"lines": ["x"], "labels": [0]}] * 12, "0 lines are labelled to be removed"),
        ([{"lines": ["x"], "labels": [1]}] * 12, "0 lines are labelled to be kept"),
    ],
)
def test_labels_that_are_too_few(tmp_path, rows, says):
    data = read_training_data([write_jsonl(tmp_path / "a.jsonl", rows)])
    with pytest.raises(InputError, match=says):
        adapt.adapt(data, "fast")


def test_labels_that_all_lie_in_one_fold(tmp_path):
    """The others have labels of header lines alone, which are no fragments."""
    lines = ["The harbour bridge is old, and the council wants it built anew.", "Share this page"]
    one = {"lines": lines * 12, "labels": [0, 1] * 12}
    header = {"lines": ["A bridge is built anew", "2022-02-15"], "labels": [0, 1]}
    path = write_jsonl(tmp_path / "a.jsonl", [one, *[header] * 12])
    with pytest.raises(InputError, match="lie in too few documents"):
        adapt.adapt(read_training_data([path]), "fast", say=lambda _: None)


def test_a_base_that_is_none(tmp_path):
    rows = with_a_standing_line(wikipedia("en"), label=1)
    data = read_training_data([write_jsonl(tmp_path / "a.jsonl", rows)])
    with pytest.raises(ModelError, match="cannot read the detector"):
        adapt.adapt(data, str(tmp_path))


# Ablation


def test_an_ablation_leaves_out_what_it_says():
    pytest.importorskip("torch")
    from cleaner.training import ablation
    from cleaner.training.knowledge import fit_topic, inverse_document_frequency

    documents = [
        replace(document, source=name)
        for name in ("wcxb_extracted", "wcxb_page")
        for document in read_labelled(LABELLED / f"{name}.jsonl.gz")
        if len(document.spans) < 60
    ]
    encoder = load_encoder("fast")
    examples = prepare(documents, encoder)
    texts = [example.segments.texts for example in examples]
    topic = fit_topic(texts, encoder, axes=8)
    material = ablation.Material(examples, [examples], [], topic, inverse_document_frequency(texts))
    size = ablation.Size(trees=(3, 3), steps=2)
    found = {v.name: v for v in ablation.variants(material, size, jobs=1, say=lambda _: None)}
    groups = {*ablation.GROUPS, "form", ablation.VECTORS}
    assert set(found) == {
        "the whole",
        "without calibration",
        "without the second pass",
        "without the networks",
        *(f"without {group}" for group in groups),
        "not trained on furniture",
        "not trained on wcxb_extracted",
        "not trained on wcxb_page",
    }
    precisions = {name: variant.mean.average_precision for name, variant in found.items()}
    assert len(set(precisions.values())) > len(groups)  # leaving out changes something
    assert found["the whole"].brier < 0.25
    assert set(found["the whole"].by_set) == {"wcxb_extracted", "wcxb_page"}


def test_every_piece_of_evidence_is_in_a_group_that_an_ablation_leaves_out():
    from cleaner.detector import Detector
    from cleaner.encoders import detector_folder
    from cleaner.training.ablation import GROUPS, group_of

    names = Detector.load(detector_folder("fast")).manifest["evidence"]
    assert {name for name in names if not group_of(name)} == {"first", "furniture"}
    assert set().union(*map(group_of, names)) == {*GROUPS, "form"}


# Splitting


def test_held_out_sites_are_apart_and_hold_intruders(tmp_path):
    rows = [{**r, "source": f"site {n % 12}"} for n, r in enumerate(wikipedia("es"))]
    path = write_jsonl(tmp_path / "all.jsonl", rows)
    kept, test = tmp_path / "train.jsonl", tmp_path / "test.jsonl"
    arguments = ["--train", str(kept), "--test", str(test), str(path)]
    done = CliRunner().invoke(held_out.main, arguments)
    assert done.exit_code == 0, done.output
    learned = [json.loads(line) for line in kept.read_text("utf-8").splitlines()]
    measured = list(read_labelled(test))
    assert {r["id"] for r in learned} | {d.identity for d in measured} == {r["id"] for r in rows}
    sources = {row["id"]: row["source"] for row in rows}
    assert not {r["source"] for r in learned} & {sources[d.identity] for d in measured}
    assert {1, 0} == {label for document in measured for label in document.labels}


@pytest.mark.parametrize(
    ("address", "site"),
    [
        ("https://edition.cnn.com/2020/a.html", "cnn.com"),
        ("https://cnn.com", "cnn.com"),
        ("https://news.bbc.co.uk/a", "bbc.co.uk"),
        ("https://someone.github.io/blog", "someone.github.io"),
        ("http://192.168.0.1/a", "192.168.0.1"),
        ("http://localhost/a", "localhost"),
        ("https://co.uk/", "co.uk"),
    ],
)
def test_a_site_is_what_is_registered_below_a_public_suffix(address, site):
    assert site_of({"id": "1", "source": "me", "url": address}) == site


def test_a_site_without_an_address_is_the_source():
    assert site_of({"id": "1", "source": "me", "url": ""}) == "me"
    assert site_of({"id": "1"}) == "1"


def test_a_site_may_be_half_a_code_point():
    assert fold_of("bbc.co.uk", 5) == 3
    assert fold_of("\ud800", 5) in range(5)


@pytest.mark.parametrize("identity", [0, None, "", "a"])
def test_held_out_takes_records_whatever_their_id(tmp_path, identity):
    rows = [
        {"id": identity, "source": f"site {n % 12}", "lines": record["lines"]}
        for n, record in enumerate(wikipedia("es"))
    ]
    path = write_jsonl(tmp_path / "all.jsonl", rows)
    arguments = ["--train", str(tmp_path / "a"), "--test", str(tmp_path / "b"), str(path)]
    done = CliRunner().invoke(held_out.main, arguments)
    assert done.exit_code == 0, done.output
    assert "0 documents" not in done.output
    sites = {row["lines"][0][:40]: row["source"] for row in rows}
    for line in (tmp_path / "b").read_text("utf-8").splitlines():
        record = json.loads(line)
        pairs = zip(record["lines"], record["labels"], strict=True)
        own = " ".join(text for text, label in pairs if not label)
        assert record["source"] in {site for opening, site in sites.items() if opening in own}


@pytest.mark.parametrize(
    ("kept", "test", "says"),
    [
        ("all.jsonl", "test.jsonl", "--train .* is an input of the same run"),
        ("train.jsonl", "all.jsonl", "--test .* is an input of the same run"),
        ("one.jsonl", "one.jsonl", "--train and --test are both"),
    ],
)
def test_held_out_writes_over_nothing(tmp_path, kept, test, says):
    path = write_jsonl(tmp_path / "all.jsonl", wikipedia("es"))
    before = path.read_bytes()
    arguments = ["--train", str(tmp_path / kept), "--test", str(tmp_path / test), str(path)]
    done = CliRunner().invoke(held_out.main, arguments)
    assert done.exit_code == 1
    assert re.search(says, done.output)
    assert path.read_bytes() == before


@pytest.mark.parametrize("line", ["{", '{"text": "One.", "url": "http://[half"}'])
def test_held_out_names_a_bad_record(tmp_path, line):
    path = tmp_path / "bad.jsonl"
    path.write_text(f"{line}\n", "utf-8")
    arguments = ["--train", str(tmp_path / "a"), "--test", str(tmp_path / "b"), str(path)]
    done = CliRunner().invoke(held_out.main, arguments)
    assert done.exit_code == 1
    assert "bad.jsonl:1:" in done.output


@pytest.mark.accurate
def test_an_encoder_from_nothing_but_text(tmp_path):
    pytest.importorskip("sentence_transformers")
    pytest.importorskip("datasets")
    from cleaner.training import text_encoder

    path = write_jsonl(tmp_path / "es.jsonl", wikipedia("es"))
    arguments = ["-o", str(tmp_path / "encoder"), "--dimensions", "16", "--vocabulary", "2000",
                 "--rounds", "1", "--batch", "16", str(path)]  # fmt: skip
    done = CliRunner().invoke(text_encoder.main, arguments)
    assert done.exit_code == 0, done.output
    encoder = load_encoder(str(tmp_path / "encoder"))
    vectors = encoder.encode(["La canción ganó un premio.", "la CANCIÓN ganó un premio.", ""])
    assert vectors.shape == (3, 16)
    assert vectors[0] @ vectors[1] == pytest.approx(1.0, abs=1e-5)
    assert not vectors[2].any()
