"""What the documents say can be done: commands have the options named, links lead somewhere."""

import re
import shlex
from importlib import import_module
from itertools import takewhile
from pathlib import Path

import click
import pytest

pytest.importorskip("sklearn")  # what trains imports it

from cleaner.cli import main

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
BLOCK = re.compile(r"^```(?:sh|console)\n(.*?)^```", re.MULTILINE | re.DOTALL)
MODULE = re.compile(r"python -m (cleaner\.[\w.]+)")
LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)")


def commands(path):
    """The command lines of a document's blocks, each in one piece."""
    for block in BLOCK.findall(path.read_text("utf-8")):
        for line in block.replace("\\\n", " ").splitlines():
            yield line.removeprefix("$ ")


def call(line):
    """The command of ours that a line begins with, and its options; None where it has none."""
    if not line.startswith(("cleaner ", "python -m cleaner.")):
        return None
    words = list(
        takewhile(lambda word: word not in {"|", ">", "&&"}, shlex.split(line, comments=True))
    )
    options = [word for word in words if re.match(r"--[a-z]", word)]
    if found := MODULE.match(line):
        return import_module(found[1]).main, options
    return main.commands.get(words[1], main.commands["clean"]), options


CALLS = [
    pytest.param(*found, id=f"{path.name}: {line}")
    for path in DOCUMENTS
    for line in commands(path)
    if (found := call(line)) is not None
]


def test_there_are_commands():
    assert len(CALLS) > 30


@pytest.mark.parametrize(("command", "options"), CALLS)
def test_a_command_has_the_options_that_are_named(command, options):
    assert isinstance(command, click.Command)
    known = {name for option in command.params for name in option.opts} | {"--help", "--version"}
    assert {option.partition("=")[0] for option in options} <= known


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_to_files(path):
    for target in LINK.findall(path.read_text("utf-8")):
        assert (path.parent / target).exists(), target
