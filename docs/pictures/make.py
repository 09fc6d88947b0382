"""Make the pictures of the docs from the seed: ``python docs/pictures/make.py``, with chromium."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from cleaner import Cleaner, Document
from cleaner.reading import Read
from cleaner.report import make_report
from cleaner.terminal import Explained, show

HERE = Path(__file__).parent
SEED = "fixtures/seed/ukraine.txt"
WIDTH, HEIGHT = 1280, 860
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
    "--disable-background-networking",
)  # fmt: skip
FIRST_MARK = "view.choose(view.nextMark(1), {focus: true}); map.mark()"


def main() -> None:
    """Make all of them."""
    cleaner = Cleaner()
    document = Document((HERE.parents[1] / SEED).read_bytes().decode(), identity=SEED)
    with tempfile.TemporaryDirectory() as folder:
        report, terminal = Path(folder) / "report.html", Path(folder) / "terminal.html"
        report.write_bytes(make_report([Read(document, SEED, SEED)], cleaner).html)
        terminal.write_text(_terminal(document, cleaner), encoding="utf-8")
        driver = _browser(folder)
        try:
            driver.get(report.as_uri())
            driver.execute_script(FIRST_MARK)
            driver.save_screenshot(str(HERE / "report.png"))
            _scale(driver, 2)
            driver.find_element("css selector", "#map").screenshot(str(HERE / "map.png"))
            _scale(driver, 1)
            driver.get(terminal.as_uri())
            driver.find_element("css selector", "svg").screenshot(str(HERE / "terminal.png"))
        finally:
            driver.quit()


def _terminal(document: Document, cleaner: Cleaner) -> str:
    """The first lines of `cleaner explain` on a terminal, as a picture without fonts to fetch."""
    with Path("/dev/null").open("w") as nothing:
        console = Console(
            width=108, height=40, record=True, force_terminal=True, file=nothing,
            highlight=False, markup=False, emoji=False, color_system="truecolor",
        )  # fmt: skip
        show(console, Explained.of(SEED, cleaner.inspect(document), cleaner))
        lines = console.export_text(styles=True).splitlines()[:30]
    short = Console(
        width=108,
        record=True,
        force_terminal=True,
        file=tempfile.TemporaryFile("w"),  # noqa: SIM115
    )
    for line in lines:
        short.print(Text.from_ansi(line))
    svg = re.sub(r"@font-face\s*{[^}]*}", "", short.export_svg(title=f"cleaner explain {SEED}"))
    return f'<body style="margin: 0">{svg}</body>'


def _browser(folder: str) -> Any:
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for flag in (*FLAGS, f"--user-data-dir={folder}/profile"):
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    _scale(driver, 1)
    return driver


def _scale(driver: Any, pixels: int) -> None:
    driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": WIDTH, "height": HEIGHT, "deviceScaleFactor": pixels, "mobile": False},
    )


if __name__ == "__main__":
    main()
