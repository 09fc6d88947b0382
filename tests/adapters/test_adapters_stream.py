"""The filter as a child process that stays, kept by a program in another language."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
EXAMPLES = {
    "Node": ["node", str(ROOT / "docs" / "examples" / "clean_stream.mjs")],
    "shell": ["bash", str(ROOT / "docs" / "examples" / "clean_stream.sh")],
}

RECORD = b'{"text": "Too short."}\n'
TOOL = f'#!/bin/sh\nexec "{sys.executable}" -m cleaner "$@"\n'


@pytest.fixture(params=EXAMPLES)
def run(request, tmp_path):
    """Run an example on bytes; it finds `cleaner` as a user does, on the search path."""
    program, script = EXAMPLES[request.param]
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not installed")

    def run(data, *options, tool=TOOL, path=os.environ["PATH"], after=0):
        if tool:
            (tmp_path / "cleaner").write_text(tool)
            (tmp_path / "cleaner").chmod(0o755)
        environment = {
            **os.environ,
            "PATH": f"{tmp_path}{os.pathsep}{path}",
            "PYTHONPATH": str(ROOT),
        }
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        with subprocess.Popen([found, script, *options], env=environment, **pipes) as example:
            time.sleep(after)
            out, said = example.communicate(data, timeout=600)
        return subprocess.CompletedProcess(example.args, example.returncode, out, said)

    return run


def test_each_record_is_answered_before_the_next_is_sent(run, rows, expected):
    """Both programs wait for an answer before they send the next record."""
    done = run("".join(json.dumps(row) + "\n" for row in rows).encode())
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert answers == [{**row, "text": text} for row, text in zip(rows, expected, strict=True)]


def test_a_record_that_cannot_be_used_is_answered_with_itself(run):
    records = [{"text": "a"}, {"text": 7}, {"text": None}, [1], {"body": "b"}, {"text": "c"}]
    done = run("".join(json.dumps(record) + "\n" for record in records).encode())
    assert done.returncode == 0, done.stderr
    assert [json.loads(line) for line in done.stdout.splitlines()] == records
    assert b"standard input:2: " in done.stderr


def test_a_record_comes_back_as_it_was_written(run):
    """To JavaScript, 1.0 is 1, and large integers are one where they differ in the last digits."""
    record = '{"id": 12345678901234567890,"x":1.0,\r "text" : "\\u00e9 \u2028 \u2028a"}\r\n'
    done = run(record.encode() * 2)
    assert (done.returncode, done.stdout) == (0, record.encode() * 2), done.stderr


def test_blank_lines_are_no_records_and_the_last_one_may_lack_its_newline(run):
    done = run(b'{"text": "a"}\n\n  \n{"text": "b"}')
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["text"] for line in done.stdout.splitlines()] == ["a", "b"]


@pytest.mark.parametrize(("status", "told"), [(3, 3), (0, 1)])
def test_a_child_that_ends_too_early_is_told_of(run, status, told):
    """It answers one record: nobody waits for the answer to the next."""
    echo = "IFS= read -r record; printf '%s\\n' \"$record\""
    done = run(b'{"text": "a"}\n' * 3, tool=f"#!/bin/sh\n{echo}; exit {status}\n")
    assert done.returncode == told
    assert [json.loads(line) for line in done.stdout.splitlines()] == [{"text": "a"}]


def test_a_child_that_has_ended_before_a_record_comes_is_told_of(run):
    done = run(b'{"text": "a"}\n' * 2, tool="#!/bin/sh\nexit 3\n", after=2)
    assert (done.returncode, done.stdout) == (3, b"")


def test_a_command_that_is_not_there_is_told_of(run):
    done = run(b'{"text": "a"}\n', tool=None, path="/nowhere", after=1)
    assert done.returncode != 0
    assert b"cleaner" in done.stderr


def test_nothing_in_nothing_out(run):
    done = run(b"")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@pytest.fixture
def measure(run, request):
    if "Node" not in request.node.name:
        pytest.skip("the shell's example does not measure")
    return run


def test_round_trips_are_measured(measure):
    done = measure(RECORD, "--measure", "5")
    assert done.returncode == 0
    assert done.stdout.startswith(b"round trips: 5, median ")


@pytest.mark.parametrize("count", [[], ["0"], ["1.5"], ["many"]])
def test_a_measurement_needs_a_number(measure, count):
    done = measure(RECORD, "--measure", *count)
    assert done.returncode == 1
    assert done.stderr == b"--measure needs the number of round trips, 1 or more\n"


def test_a_measurement_needs_a_record(measure):
    done = measure(b"\n", "--measure", "5")
    assert done.returncode == 1
    assert done.stderr == b"standard input has no record to measure with\n"
