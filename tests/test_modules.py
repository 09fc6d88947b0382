"""The map of modules in CONTRIBUTING.md: it has all of them, and each imports from above alone."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAP = re.findall(r"^\| (`.+?) \|", (ROOT / "CONTRIBUTING.md").read_text("utf-8"), re.MULTILINE)
ORDER = [name for row in MAP for name in re.findall(r"`(\w+)/?`", row)]
FILES = [path.relative_to(ROOT) for path in sorted((ROOT / "cleaner").rglob("*.py"))]


def module_of(path):
    """The module of the map that a file belongs to: its own, or the folder it lies in."""
    return path.with_suffix("").parts[1]


def imported(path):
    """The modules of the map that a file imports from, wherever in it that is."""
    for node in ast.walk(ast.parse((ROOT / path).read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and f"{node.module}.".startswith("cleaner."):
            names = [f"{node.module}.{alias.name}".split(".")[1] for alias in node.names]
            yield from (name for name in names if name in ORDER)


def test_the_map_has_every_module_once():
    modules = {module_of(path) for path in FILES} - {"__init__", "__main__"}
    assert sorted(ORDER) == sorted(modules)


@pytest.mark.parametrize("path", FILES, ids=str)
def test_a_module_imports_from_those_above_it(path):
    if module_of(path) in ORDER:
        above = ORDER[: ORDER.index(module_of(path)) + 1]
        assert set(imported(path)) <= set(above)
