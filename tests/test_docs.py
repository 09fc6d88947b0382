"""What the documents say can be done: commands have the options named, links lead somewhere."""

import re
import shlex
from importlib import import_module
from pathlib import Path

import click
import pytest

pytest.importorskip("sklearn")  # what trains imports it

from cleaner.cli import main

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
BLOCK = re.compile(r"^```(?:sh|console)\n(.*?)^```", re.MULTILINE | re.DOTALL)
MODULE = re.compile(r"python -m (cleaner\.[\w.]+)")
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")
JOINED = re.compile(r" (?:&&|\|) ")  # one command after another


def commands(path):
    """The command lines of a document's blocks, each in one piece."""
    for block in BLOCK.findall(path.read_text("utf-8")):
        for line in block.replace("\\\n", " ").splitlines():
            yield from JOINED.split(line.removeprefix("$ "))


def call(line):
    """The command of ours that a line begins with, and its options; None where it has none."""
    if not line.startswith(("cleaner ", "python -m cleaner.")):
        return None
    words = shlex.split(line, comments=True)
    options = [word for word in words if re.match(r"--[a-z]", word)]
    if found := MODULE.match(line):
        return import_module(found[1]).main, options
    return main.commands.get(words[1], main.commands["clean"]), options


def anchors(path):
    """What the headings of a document are called in links."""
    for heading in re.findall(r"^#+ (.+)$", path.read_text("utf-8"), re.MULTILINE):
        yield re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


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
def test_links_lead_to_files_and_headings(path):
    for target, anchor in LINK.findall(path.read_text("utf-8")):
        to = path.parent / target if target else path
        assert to.exists(), target
        if anchor:
            assert anchor in anchors(to), f"{target}#{anchor}"
