"""The filter as a child process that stays, kept by a program in another language."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
EXAMPLES = {
    "Node": ["node", str(ROOT / "docs" / "examples" / "clean_stream.mjs")],
    "shell": ["bash", str(ROOT / "docs" / "examples" / "clean_stream.sh")],
}


@pytest.fixture(params=EXAMPLES)
def run(request, tmp_path):
    """Run an example on bytes; it finds `cleaner` as a user does, on the search path."""
    command = EXAMPLES[request.param]
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    tool = tmp_path / "bin" / "cleaner"
    tool.parent.mkdir()
    tool.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m cleaner "$@"\n')
    tool.chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{tool.parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
    }

    def run(data, *options):
        return subprocess.run(
            [*command, *options],
            input=data,
            capture_output=True,
            env=environment,
            timeout=600,
            check=False,
        )

    return run


def test_each_record_is_answered_before_the_next_is_sent(run, rows, expected):
    """Both programs wait for an answer before they send the next record."""
    pairs = [(row, text) for row, text in zip(rows, expected, strict=True) if text is not None]
    data = "".join(json.dumps(row) + "\n" for row, _ in pairs)
    done = run(data.encode())
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert answers == [{**row, "text": text} for row, text in pairs]


def test_a_record_that_cannot_be_used_ends_in_its_message(run):
    done = run(b'{"text": "a"}\n{"text": 7}\n')
    assert done.returncode == 1
    assert json.loads(done.stdout) == {"text": "a"}
    assert b"standard input:2: the field 'text' is not a string" in done.stderr


def test_nothing_in_nothing_out(run):
    done = run(b"")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_round_trips_are_measured(run, request):
    if "Node" not in request.node.name:
        pytest.skip("the shell's example does not measure")
    done = run(b'{"text": "Too short."}\n', "--measure", "5")
    assert done.returncode == 0
    assert done.stdout.startswith(b"round trips: 5, median ")
