import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import click
import pytest
from click.testing import CliRunner
from inputs import NAMED, TELL_PEAK_MEMORY

import cleaner.__main__
from cleaner.cli import main
from cleaner.encoders import MODELS
from cleaner.formats import decode, encode

ROOT = Path(__file__).parent.parent
TEXT = "Good line.\nJUNK line.\nGood again.\n"
LEFT = "Good line.\nGood again.\n"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


def run(*arguments, stdin=b""):
    return CliRunner().invoke(main, [str(item) for item in arguments], input=stdin)


def command(*arguments, **options):
    whole = [sys.executable, "-m", "cleaner", *map(str, arguments)]
    options.setdefault("capture_output", True)
    return subprocess.run(whole, env=ENVIRONMENT, check=False, timeout=120, **options)


def jsonl(*texts):
    return b"".join(
        json.dumps({"id": n, "text": text}).encode() + b"\n" for n, text in enumerate(texts)
    )


@pytest.fixture
def article(tmp_path):
    path = tmp_path / "article.txt"
    path.write_text(TEXT)
    return path


@pytest.fixture
def records(tmp_path):
    path = tmp_path / "articles.jsonl"
    path.write_bytes(jsonl(TEXT, LEFT, TEXT))
    return path


@pytest.fixture
def broken(tmp_path):
    path = tmp_path / "broken.jsonl"
    path.write_bytes(jsonl(TEXT) + b"{nonsense\n" + jsonl(LEFT) + b'{"text": 3}\n')
    return path


def names(folder):
    return sorted(path.name for path in folder.iterdir())


# --- the parts of the command --------------------------------------------------------------------


def every_command(group=main, path=()):
    yield path, group
    for name, item in getattr(group, "commands", {}).items():
        yield from every_command(item, (*path, name))


@pytest.mark.parametrize(("path", "item"), list(every_command()), ids=str)
def test_every_command_and_option_has_help(path, item):
    assert item.help
    for option in item.params:
        if isinstance(option, click.Option):
            assert option.help, option.name
    shown = run(*path, "--help").output
    for option in item.params:
        if isinstance(option, click.Option):
            assert option.opts[-1] in shown


def test_help_of_the_bare_command_shows_the_filter_s_options():
    shown = run("--help").output
    for option in main.commands["clean"].params:
        if isinstance(option, click.Option):
            assert option.opts[-1] in shown
    assert shown == run("-h").output


def test_version():
    assert run("--version").output == f"cleaner, version {cleaner.__version__}\n"


@pytest.mark.parametrize("argument", ["--version", "--help"])
def test_starts_without_what_it_does_not_need(argument):
    code = (
        "import sys, click\nfrom cleaner.cli import main\n"
        f"main([{argument!r}], standalone_mode=False)\n"
        "print(sorted({'numpy', 'onnxruntime', 'tokenizers', 'torch'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=ENVIRONMENT, capture_output=True, check=True
    )
    assert done.stdout.splitlines()[-1] == b"[]"


def test_the_filter_loads_neither_torch_nor_scikit_learn(seed):
    code = (
        "import sys, cleaner\ncleaner.clean(sys.stdin.read())\n"
        "print(sorted({'torch', 'sklearn', 'transformers', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=seed.encode(),
        env=ENVIRONMENT,
        capture_output=True,
        check=True,
    )
    assert done.stdout == b"[]\n"


def test_the_public_names_are_there():
    for name in cleaner.__all__:
        assert getattr(cleaner, name) is not None
        assert name in dir(cleaner)
    with pytest.raises(AttributeError, match="nonsense"):
        _ = cleaner.nonsense


# --- text ----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("marked")
class TestText:
    def test_file(self, article):
        done = run(article)
        assert (done.stdout, done.stderr, done.exit_code) == (LEFT, "", 0)
        assert run("clean", article).stdout == LEFT

    def test_standard_input(self):
        assert run(stdin=TEXT).stdout == LEFT
        assert run("-", stdin=TEXT).stdout == LEFT

    @pytest.mark.parametrize("before", [[], ["--quiet"], ["clean"], ["clean", "-q"]], ids=str)
    @pytest.mark.parametrize("name", ["-dash.txt", "clean"])
    def test_a_name_behind_two_dashes(self, article, monkeypatch, before, name):
        monkeypatch.chdir(article.parent)
        article.rename(name)
        assert run(*before, "--", name).stdout == LEFT

    def test_nothing_behind_two_dashes(self):
        assert run("--", stdin=TEXT).stdout == LEFT
        assert run("--", "-", stdin=TEXT).stdout == LEFT

    def test_several_one_after_the_other(self, article):
        assert run(article, "-", article, stdin="end, JUNK").stdout == LEFT + "" + LEFT
        assert run(article, "-", stdin="no end").stdout == LEFT + "no end"

    def test_output(self, article, tmp_path):
        done = run(article, "-o", tmp_path / "out.txt")
        assert (done.stdout, done.stderr) == ("", "")
        assert (tmp_path / "out.txt").read_text() == LEFT
        assert run(article, "-o", "-").stdout == LEFT

    def test_explain(self, article):
        done = run("--explain", article)
        assert done.stdout == LEFT
        assert done.stderr == f"{article}:2: removed (off-topic, 0.90; a 0.5): JUNK line.\n"

    @pytest.mark.parametrize("name", ["chapter.txt", "Vault.txt"])
    def test_letters_of_a_value_are_no_options(self, article, monkeypatch, name):
        """The "h" in it is no cry for help, and the "V" none for the version."""
        monkeypatch.chdir(article.parent)
        assert run(f"-o{name}", article).stdout == ""
        assert Path(name).read_text() == LEFT
        for option in ("--title", "--keep", "--drop"):
            assert run(option, "-h", article).stdout == LEFT
        assert run(article, "--version").stdout == run("-V").stdout

    def test_explain_what_was_not_judged(self):
        assert run("--explain", stdin=b"").stderr == "standard input: not judged: too short\n"

    def test_removed(self, article, tmp_path):
        out = tmp_path / "removed.jsonl"
        assert run(article, "--removed", out).stdout == LEFT
        assert [json.loads(line) for line in out.read_text().splitlines()] == [
            {
                "path": str(article), "line": 2, "document": str(article), "start": 11, "end": 22,
                "text": "JUNK line.\n", "score": 0.9, "reason": "off-topic", "evidence": {"a": 0.5},
                "input_sha256": hashlib.sha256(TEXT.encode()).hexdigest(),
            }
        ]  # fmt: skip

    def test_removed_is_there_even_if_empty(self, tmp_path):
        out = tmp_path / "removed.jsonl"
        run("--removed", out, stdin=LEFT)
        assert out.read_bytes() == b""

    def test_check(self, article):
        done = run("--check", article)
        assert (done.stdout, done.exit_code) == ("", 1)
        assert done.stderr == f"{article}: 1 fragment would be removed\n"
        done = run("--check", stdin=LEFT)
        assert (done.stdout, done.stderr, done.exit_code) == ("", "", 0)

    def test_diff(self, article):
        done = run("--diff", article)
        assert done.exit_code == 0
        assert done.stdout == (
            f"--- {article}\n+++ {article}\n"
            "@@ -1,3 +1,2 @@\n Good line.\n-JUNK line.\n Good again.\n"
        )
        assert run("--diff", stdin=LEFT).stdout == ""

    def test_in_place(self, article, tmp_path):
        untouched = tmp_path / "clean.txt"
        untouched.write_text(LEFT)
        os.utime(untouched, (1, 1))
        done = run("-i", article, untouched)
        assert (done.stdout, done.exit_code) == ("", 0)
        assert article.read_text() == LEFT
        assert untouched.stat().st_mtime == 1
        assert names(tmp_path) == ["article.txt", "clean.txt"]

    def test_in_place_through_a_link(self, article, tmp_path):
        link = tmp_path / "link.txt"
        link.symlink_to(article)
        run("-i", link)
        assert link.is_symlink()
        assert article.read_text() == LEFT

    @pytest.mark.parametrize("name", NAMED)
    def test_kept_bytes_come_out_as_they_went_in(self, marks, tmp_path, name):
        path = tmp_path / "a.txt"
        path.write_bytes(NAMED[name])
        expected = encode(marks.clean_and_explain(decode(NAMED[name])).text)
        said = ["--format", "text"]  # that UTF-16 is meant
        assert run(path, *said).stdout_bytes == expected
        assert run(*said, stdin=NAMED[name]).stdout_bytes == expected
        run(path, *said, "--output", tmp_path / "out.txt")
        assert (tmp_path / "out.txt").read_bytes() == expected
        run("--in-place", path, *said)
        assert path.read_bytes() == expected


# --- JSONL ---------------------------------------------------------------------------------------


@pytest.mark.usefixtures("marked")
class TestJsonl:
    def test_records_come_out_in_order(self, records):
        assert run(records).stdout_bytes == jsonl(LEFT, LEFT, LEFT)
        assert run("--format", "jsonl", stdin=records.read_bytes()).stdout_bytes == jsonl(
            LEFT, LEFT, LEFT
        )

    def test_explain(self, records):
        done = run("--explain", records)
        assert run("--explain", "--quiet", records).stderr == ""
        out = [json.loads(line) for line in done.stdout.splitlines()]
        assert [len(record["removed"]) for record in out] == [1, 0, 1]
        for record, original in zip(
            out, map(json.loads, records.read_bytes().splitlines()), strict=True
        ):
            text = original["text"]
            for gone in reversed(record["removed"]):
                assert text[gone["start"] : gone["end"]] == gone["text"]
                text = text[: gone["start"]] + text[gone["end"] :]
            assert text == record["text"]
            assert record["id"] == original["id"]

    def test_not_judged(self):
        out = json.loads(run("--format", "jsonl", "--explain", stdin=jsonl("")).stdout)
        assert (out["judged"], out["why"], out["removed"]) == (False, "too short", [])

    def test_removed(self, records, tmp_path):
        out = tmp_path / "removed.jsonl"
        run(records, "--removed", out)
        lines = [json.loads(line) for line in out.read_text().splitlines()]
        assert [(line["path"], line["line"], line["document"]) for line in lines] == [
            (str(records), 1, 0),
            (str(records), 3, 2),
        ]

    def test_check(self, records):
        done = run("--check", records)
        assert (done.stdout, done.exit_code) == ("", 1)
        assert done.stderr.splitlines() == [
            f"{records}:1: 1 fragment would be removed",
            f"{records}:3: 1 fragment would be removed",
        ]

    def test_diff(self, records):
        out = run("--diff", records).stdout
        assert f"--- {records}:1\n" in out
        assert f"--- {records}:3\n" in out

    def test_in_place(self, records):
        run("-i", records)
        assert records.read_bytes() == jsonl(LEFT, LEFT, LEFT)
        os.utime(records, (1, 1))
        run("-i", records)
        assert records.stat().st_mtime == 1

    @pytest.mark.parametrize("line", [b"", b"\n", b" \r\n", b'{"text":"a"}'])
    def test_blank_and_unended_lines(self, line):
        data = jsonl(LEFT) + line
        assert run("--format", "jsonl", stdin=data).stdout_bytes == data

    def test_fields(self):
        data = b'{"body": "JUNK\\nGood.\\n", "text": 3}\n'
        done = run("--format", "jsonl", "--text-field", "body", stdin=data)
        assert done.stdout_bytes == b'{"body": "Good.\\n", "text": 3}\n'

    def test_bad_record_ends_the_run(self, broken):
        done = run(broken)
        assert done.exit_code == 1
        assert done.stdout_bytes == jsonl(LEFT)
        assert f"{broken}:2: not valid JSON" in done.stderr
        assert done.stderr.endswith("; mend it, or see --on-error to go on\n")

    def test_bad_record_leaves_no_output(self, broken, tmp_path):
        before = broken.read_bytes()
        done = run(broken, "-o", tmp_path / "out", "--removed", tmp_path / "removed")
        assert done.exit_code == 1
        assert run("-i", broken).exit_code == 1
        assert names(tmp_path) == ["broken.jsonl"]
        assert broken.read_bytes() == before

    def test_bad_record_leaves_the_files_before_it_done(self, article, broken):
        before = broken.read_bytes()
        assert run("-i", article, broken).exit_code == 1
        assert article.read_text() == LEFT
        assert broken.read_bytes() == before

    def test_bad_records_skipped(self, broken):
        done = run("--on-error", "skip", broken)
        assert done.exit_code == 0
        assert done.stdout_bytes == jsonl(LEFT) + jsonl(LEFT)
        assert f"{broken}:2: not valid JSON" in done.stderr

    def test_bad_records_kept(self, broken):
        done = run("--on-error", "keep", broken)
        assert done.stdout_bytes == jsonl(LEFT) + b"{nonsense\n" + jsonl(LEFT) + b'{"text": 3}\n'
        assert ": kept as it is" in done.stderr


# --- what goes wrong -----------------------------------------------------------------------------


def failed(done, status, *parts):
    assert done.exit_code == status, done.output
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    for part in parts:
        assert part in done.stderr


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ([], "not judged: fewer than 5 fragments\n"),
        (["--explain"], "standard input: not judged: fewer than 5 fragments\n"),
        (["--quiet"], ""),
        (["--check"], "not judged: fewer than 5 fragments\n"),
        (["--diff"], "not judged: fewer than 5 fragments\n"),
    ],
)
def test_one_document_that_is_not_judged_is_told(more, told):
    done = run(*more, stdin=b"One line.\nAnother.\n")
    assert (done.exit_code, done.stderr) == (0, told)
    assert done.stdout == ("" if {"--check", "--diff"} & {*more} else "One line.\nAnother.\n")
    assert run(stdin=b"").stderr == ""


@pytest.mark.usefixtures("marked")
class TestErrors:
    def test_missing_file(self, article):
        failed(run(article, "missing.txt"), 1, "missing.txt: no such file; check the name")

    @pytest.mark.parametrize("more", [["-i"], ["--check"], ["-o", "out/"], []])
    def test_an_empty_name_is_not_this_folder(self, article, monkeypatch, more):
        """As a variable of the shell that is not set gives it."""
        monkeypatch.chdir(article.parent)
        before = article.read_bytes()
        failed(run(*more, ""), 2, "the name of an input is empty; name a file")
        assert article.read_bytes() == before

    def test_an_empty_name_of_a_clean_text(self, article):
        failed(run("restore", "", "--removed", article), 2, "the name of an input is empty")

    @pytest.mark.parametrize("option", [[], ["-i"], ["--check"], ["-o", "clean.txt"]])
    def test_a_name_that_is_too_long(self, option):
        """As `cleaner "$(cat article.txt)"` gives it."""
        failed(run(*option, "An article. " * 99), 1, "An article. ", "File name too long")

    def test_an_output_whose_name_is_too_long(self, article):
        failed(run(article, "-o", "x" * 300), 1, "xxx: File name too long; check the name")

    def test_directory(self, tmp_path):
        failed(run(tmp_path), 1, f"{tmp_path}: is a directory")

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
    def test_unreadable(self, article):
        article.chmod(0)
        failed(run(article), 1, f"{article}: may not be read")

    @pytest.mark.parametrize(
        "command",
        [
            ["clean"],
            ["explain"],
            ["report", "-o", "page.html"],
            ["restore", "--removed", os.devnull],
            ["evaluate"],
        ],
        ids=lambda command: command[0],
    )
    def test_unreadable_as_the_system_says_it(self, article, monkeypatch, command):
        def refuse(*_):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "open", refuse)
        monkeypatch.setattr(os, "access", lambda *_, **__: False)
        failed(run(*command, article), 1, f"{article}: may not be read; check its permissions")

    def test_output_over_an_input(self, article, tmp_path):
        other = "is an input of the same run; use another name"
        failed(run(article, "-o", article), 2, "; use --in-place to change a file, or another name")
        failed(run(article, "--removed", article), 2, other)
        failed(run("report", article, "-o", article), 2, other)  # report has no --in-place
        assert article.read_text() == TEXT
        failed(run(article, "-o", tmp_path / "a", "--removed", tmp_path / "a"), 2, "are one file")

    def test_in_place_what_is_left_out_would_be_lost(self, article):
        says = "--in-place and --on-error skip do not go together; use --on-error keep"
        failed(run("-i", "--on-error", "skip", article), 2, says)

    def test_in_place_on_what_is_no_file(self):
        failed(run("-i"), 2, "--in-place needs a file")
        failed(run("-i", "-"), 2, "--in-place needs a file")
        failed(run("-i", os.devnull), 2, "is not a regular file")

    @pytest.mark.parametrize(
        "options",
        [
            ["--check", "--diff"],
            ["--check", "-i"],
            ["--diff", "-i"],
            ["-i", "-o", "x"],
            ["--check", "-o", "x"],
            ["--check", "--removed", "x"],
            ["--removed", "-"],
            ["--removed", "/dev/stdout"],
            ["--stats", "/dev/fd/1"],
            ["--format", "jsonl", "--title", "T"],
            ["--explain", "--text-field", "why"],
            ["--explain", "--title-field", "removed"],
        ],
    )
    def test_options_that_do_not_go_together(self, article, options):
        failed(run(article, *options), 2, "do not go together; ")

    def test_standard_input_twice(self):
        failed(run("-", "-"), 2, "standard input can be read once only")

    def test_unknown_option(self, article):
        failed(run(article, "--nonsense"), 2, "No such option")

    def test_output_in_a_folder_that_is_not_there(self, article):
        failed(run(article, "-o", "no/such/out.txt"), 1, "no/such/out.txt: cannot be written")


class TestOptionsOfTheCleaner:
    @pytest.mark.parametrize(
        ("options", "status"),
        [
            (["--threshold", "1.5"], 2),
            (["--threshold", "nan"], 2),
            (["--threshold", "high"], 2),
            (["--keep", "("], 2),
            (["--drop", "["], 2),
            (["--only", "nonsense"], 2),
            (["--not", "nonsense"], 2),
            (["--encoder", "no/such/model"], 1),
            (["--encoder", ""], 2),
            (["--model", "no/such/folder"], 1),
        ],
    )
    def test_refused(self, article, options, status):
        failed(run(article, *options), status)

    @pytest.mark.parametrize("name", ["/no", "./no", "~no/", "no/such/model"])
    @pytest.mark.parametrize("more", [[], ["--model", MODELS / "fast" / "detector"]])
    def test_the_path_of_an_encoder_where_nothing_is(self, article, name, more):
        done = run(article, "--encoder", name, *more)
        failed(done, 1, f"{name}: there is no such encoder; check the path")

    def test_an_encoder_without_a_name(self, article):
        failed(run(article, "--encoder", ""), 2, "the name of the encoder is empty; use fast")

    def test_keep_wins_over_drop(self, article):
        article.write_text("".join(f"The council voted on line {n}.\n" for n in range(9)))
        done = run(article, "--drop", r"line [1-3]", "--keep", "line 2")
        gone = set(article.read_text().splitlines()) - set(done.stdout.splitlines())
        assert {line[-2] for line in gone} >= {"1", "3"}
        assert "The council voted on line 2.\n" in done.stdout


# --- the command as it is run --------------------------------------------------------------------


class TestProcess:
    def test_the_seed(self, seed, intruders):
        done = command(input=seed.encode())
        assert (done.returncode, done.stderr) == (0, b"")
        assert set(seed.splitlines()) - set(done.stdout.decode().splitlines()) == set(intruders)

    def test_a_reader_that_goes_away(self, tmp_path):
        path = tmp_path / "a.jsonl"
        path.write_bytes(jsonl(*["One line.\n" * 50] * 3000))
        with subprocess.Popen(
            [sys.executable, "-m", "cleaner", path],
            env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        ) as process:  # fmt: skip
            assert process.stdout.readline()
            process.stdout.close()
            assert process.stderr.read() == b""
            assert process.wait(60) == 1

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
    @pytest.mark.parametrize("options", [[], ["--diff"], ["--format", "jsonl"]])
    def test_a_full_disk(self, options):
        data = jsonl("One line.\n") if "jsonl" in options else b"Always gone.\nOne line.\n"
        with Path("/dev/full").open("wb") as full:
            done = command(
                *options,
                "--drop",
                "gone",
                input=data,
                stdout=full,
                stderr=subprocess.PIPE,
                capture_output=False,
            )
        assert done.returncode == 1
        assert (
            done.stderr == b"Error: standard output: cannot be written (No space left on device)\n"
        )

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
    @pytest.mark.parametrize(
        "arguments",
        [
            ["explain", "ARTICLE"],
            ["explain", "--json", "ARTICLE"],
            ["evaluate", "LABELLED"],
            ["evaluate", "--json", "-", "LABELLED"],
            ["--help"],
            ["restore", "--help"],
            ["--version"],
        ],
        ids=" ".join,
    )
    def test_a_full_disk_whatever_is_printed(self, article, tmp_path, arguments):
        labelled = tmp_path / "labelled.jsonl"
        labelled.write_text('{"lines": ["One line.", "Share"], "labels": [0, 1]}\n', "utf-8")
        names = {"ARTICLE": article, "LABELLED": labelled}
        with Path("/dev/full").open("wb") as full:
            done = command(
                *(names.get(argument, argument) for argument in arguments),
                stdout=full,
                stderr=subprocess.PIPE,
                capture_output=False,
            )
        assert done.returncode == 1
        assert (
            done.stderr == b"Error: standard output: cannot be written (No space left on device)\n"
        )

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
    def test_a_full_disk_by_name(self, article):
        done = command(article, "-o", "/dev/full")
        assert done.returncode == 1
        assert done.stderr == b"Error: /dev/full: cannot be written (No space left on device)\n"

    def test_standard_output_that_is_closed(self, article):
        shell = ["sh", "-c", 'exec "$@" >&-', "sh", sys.executable, "-m", "cleaner", str(article)]
        done = subprocess.run(shell, env=ENVIRONMENT, capture_output=True, check=False, timeout=60)
        assert done.returncode == 1
        assert done.stderr == b"Error: standard output: it is closed; use --output\n"

    @pytest.mark.parametrize(
        "options", [["explain"], ["explain", "--json"], ["evaluate"], ["evaluate", "--json", "-"]]
    )
    def test_standard_output_that_is_closed_where_there_is_no_other(self, tmp_path, options):
        path = tmp_path / "labelled.jsonl"
        path.write_text('{"text": "One.", "lines": ["One."], "labels": [0]}\n', "utf-8")
        shell = ["sh", "-c", 'exec "$@" >&-', "sh", sys.executable, "-m", "cleaner", *options, path]
        done = subprocess.run(shell, env=ENVIRONMENT, capture_output=True, check=False, timeout=60)
        assert done.returncode == 1
        assert (
            done.stderr == b"Error: standard output: it is closed; open it, or lead it to a file\n"
        )

    def test_what_the_encoding_of_standard_output_lacks_is_escaped(self, tmp_path):
        path = tmp_path / "article.txt"
        path.write_text("A line of \u0153uvres.\n", "utf-8")
        environment = {**ENVIRONMENT, "PYTHONIOENCODING": "ascii"}
        done = subprocess.run(
            [sys.executable, "-m", "cleaner", "explain", path],
            env=environment, capture_output=True, check=True, timeout=60,
        )  # fmt: skip
        assert rb"A line of \u0153uvres." in done.stdout

    def test_an_interruption_while_the_command_is_loaded(self, monkeypatch, capsys):
        class Interrupted(ModuleType):
            def __getattr__(self, name):
                raise KeyboardInterrupt

        monkeypatch.setitem(sys.modules, "cleaner.cli", Interrupted("cleaner.cli"))
        with pytest.raises(SystemExit) as ended:
            cleaner.__main__.main()
        assert ended.value.code == 130
        assert capsys.readouterr().err == "Interrupted.\n"

    def test_appending_to_an_input(self, records):
        before = records.read_bytes()
        with records.open("ab") as out:
            done = command(records, stdout=out, stderr=subprocess.PIPE, capture_output=False)
        assert done.returncode == 2
        assert records.read_bytes() == before

    def test_the_first_record_comes_out_before_the_last_one_came_in(self):
        with subprocess.Popen(
            [sys.executable, "-m", "cleaner", "--format", "jsonl"],
            env=ENVIRONMENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        ) as process:  # fmt: skip
            for number in range(3):
                line = jsonl(f"Record {number}.\n")
                process.stdin.write(line)
                process.stdin.flush()
                assert process.stdout.readline() == line
                time.sleep(0.05)
            process.stdin.close()
            assert process.stdout.read() == b""
            assert process.wait(60) == 0

    @pytest.mark.skipif(sys.platform != "linux", reason="memory is counted in KiB on Linux only")
    def test_memory_does_not_grow_with_the_number_of_records(self, tmp_path):
        path = tmp_path / "a.jsonl"
        code = (
            "import sys\nfrom cleaner.cli import main\n"
            f"main(sys.argv[1:], standalone_mode=False)\n{TELL_PEAK_MEMORY}"
        )
        peaks = []
        for count in (2_000, 20_000):
            texts = ["One line of a short text.\n" * 40, *["no sentence " * 80] * 19]
            path.write_bytes(jsonl(*texts * (count // 20)))
            whole = [sys.executable, "-c", code, str(path), "-q", "-j1", "-o", os.devnull]
            done = subprocess.run(whole, env=ENVIRONMENT, capture_output=True, check=True)
            peaks.append(int(done.stderr))
        assert peaks[1] < peaks[0] + 20_000


@pytest.mark.usefixtures("marked")
class TestAccountsOfAFailedRun:
    @pytest.mark.parametrize("suffix", ["", ".gz"])
    def test_what_is_out_is_accounted_for(self, broken, tmp_path, suffix):
        gone = tmp_path / f"gone.jsonl{suffix}"
        done = run("-j", 1, "--removed", gone, broken)
        assert (done.exit_code, done.stdout_bytes) == (1, jsonl(LEFT))
        part = tmp_path / "part.jsonl"
        part.write_bytes(done.stdout_bytes)
        back = run("restore", part, "--removed", gone, "--input", broken)
        assert back.stdout_bytes == jsonl(TEXT)

    def test_nothing_is_out(self, broken, tmp_path):
        gone = tmp_path / "gone.jsonl"
        gone.write_text("of another run\n")
        broken.write_bytes(b"{nonsense\n" + jsonl(TEXT))
        assert run("--removed", gone, broken).exit_code == 1
        assert gone.read_text() == "of another run\n"
