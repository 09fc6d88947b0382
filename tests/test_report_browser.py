"""The page in a real browser: what a reader does with it, and what it does with hostile text."""

import base64
import json
import shutil
import time

import pytest

from cleaner import Cleaner
from cleaner.document import Document
from cleaner.reading import Read
from cleaner.report import make_report

pytestmark = pytest.mark.browser

CHROMIUM, CHROMEDRIVER = shutil.which("chromium"), shutil.which("chromedriver")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage",
)  # fmt: skip
PATIENCE = 60  # seconds: for a busy machine, no test waits for them to go by
DESKTOP, PHONE, A4 = (1280, 900), (390, 844), (794, 1123)
HOSTILE = (
    "</script><script>window.hacked = 1</script> <img src=x onerror=window.hacked=1> "
    "\u202eturned\u202c \x1b[31m &amp; \0 "
    "\u061c\xad\u180e\u200b\U000e0001\U000e0041 \udcff \U0001f469\u200d\U0001f680 \ufffe"
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    if not (CHROMIUM and CHROMEDRIVER):
        pytest.skip("no chromium: apt-get install chromium chromium-driver")
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(CHROMEDRIVER))
    driver.set_page_load_timeout(PATIENCE)
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def texts(seed):
    """Documents by name: the seed, and the seed with what is hard on a page."""
    return {
        "seed": seed,
        "hostile": "\U0001f680 "
        + HOSTILE
        + "\n"
        + seed.replace("vaccine", f"vaccine {HOSTILE}", 2),
        "line ends": seed.replace("\n", "\r\n", 40).replace(". ", ".\n\n", 30),
        "paragraphs": seed.replace("\n ", " ").replace("\nR", " R"),
    }


@pytest.fixture(scope="module")
def pages(tmp_path_factory, fast, texts):
    """Addresses of pages by name: one for each document, and `corpus` for all of them."""
    folder = tmp_path_factory.mktemp("pages")
    reads = {
        name: Read(Document(text, identity=name), f"{name}.txt", "the source")
        for name, text in texts.items()
    }
    short = Read(Document("One line.\n", identity="short"), "short.txt", "another source")
    made = {name: make_report([read], fast).html for name, read in reads.items()}
    made["corpus"] = make_report([*reads.values(), short], fast, name="the corpus").html
    addresses = {}
    for name, page in made.items():
        path = folder / f"{name.replace(' ', '-')}.html"
        path.write_bytes(page)
        addresses[name] = path.as_uri()
    return addresses


class Page:
    """A page in the browser, and what a reader sees and does."""

    def __init__(self, driver, address, downloads, *, size=DESKTOP, dark=False, reduced=True):
        self.driver, self.downloads = driver, downloads
        driver.get("about:blank")
        self.command(
            "Emulation.setDeviceMetricsOverride",
            width=size[0], height=size[1], deviceScaleFactor=1, mobile=False,
        )  # fmt: skip
        features = [
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "prefers-reduced-motion", "value": "reduce" if reduced else "no-preference"},
        ]
        self.command("Emulation.setEmulatedMedia", media="", features=features)
        self.command("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(downloads))
        driver.get_log("browser")
        driver.get(address)

    def command(self, name, **parameters):
        return self.driver.execute_cdp_cmd(name, parameters)

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def find(self, selector):
        return self.driver.find_elements("css selector", selector)

    def one(self, selector):
        (element,) = self.find(selector)
        return element

    def marked(self):
        return {int(e.get_attribute("data-index")) for e in self.find(".fragment.gone")}

    def scores(self):
        return self.run("return view.article.score")

    def set_threshold(self, value):
        """As a hand does: the slider is focused, and told a value."""
        self.run(
            "const s = document.getElementById('threshold'); s.value = arguments[0];"
            "s.dispatchEvent(new Event('input', {bubbles: true}))",
            value,
        )

    def press(self, *keys):
        from selenium.webdriver.common.action_chains import ActionChains

        for key in keys:
            ActionChains(self.driver).send_keys(key).perform()

    def hover(self, element):
        from selenium.webdriver.common.action_chains import ActionChains

        self.run("arguments[0].scrollIntoView({block: 'center'})", element)
        ActionChains(self.driver).move_to_element(element).perform()

    def saved(self, selector):
        """Press a button and read the file that is saved."""
        before = set(self.downloads.iterdir())
        self.run("arguments[0].scrollIntoView({block: 'center'})", self.one(selector))
        self.one(selector).click()
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            new = set(self.downloads.iterdir()) - before
            if new and not any(path.suffix == ".crdownload" for path in new):
                return new.pop().read_bytes()
            time.sleep(0.05)
        raise AssertionError("nothing was saved")

    def records(self):
        return [json.loads(line) for line in self.saved("#export").splitlines()]

    def clean_bytes(self):
        """What would be saved, without saving it."""
        text = self.run(
            "const done = arguments[0]; const bytes = bytesOf(view.cleanText());"
            "let all = ''; for (const part of bytes) for (const b of part)"
            " all += String.fromCharCode(b); return btoa(all)"
        )
        return base64.b64decode(text)


@pytest.fixture
def open_page(browser, pages, tmp_path):
    downloads = tmp_path / "downloads"
    downloads.mkdir()
    yield lambda name, **options: Page(browser, pages[name], downloads, **options)
    # No error, and nothing that the policy had to refuse, on any page.
    assert browser.get_log("browser") == []
    browser.execute_script("if (typeof state !== 'undefined') state.unsaved = false")


# --- the article ---------------------------------------------------------------------------------


def test_the_lines_that_go_are_marked_and_no_other(open_page, intruders):
    page = open_page("seed")
    marked = page.run(
        "return [...view.gone.keys()].filter((i) => view.gone[i])"
        ".map((i) => view.article.text.slice(view.article.from[i], view.article.to[i]))"
    )
    assert "".join(marked).replace(" ", "") == "".join(intruders).replace(" ", "")
    shown = [element.text for element in page.find(".fragment.gone bdi")]
    assert shown == [" ".join(text.split()) for text in marked]
    assert f"{len(marked)} of {len(page.scores())} fragments" in page.one("#tally").text


@pytest.mark.parametrize("threshold", [0.05, 0.3, 0.8, 0.99])
def test_the_slider_marks_as_the_scores_say(open_page, threshold):
    page = open_page("seed")
    page.set_threshold(threshold)
    expected = {index for index, score in enumerate(page.scores()) if score >= threshold}
    assert page.marked() == expected
    assert page.one("#threshold-value").text == f"{threshold:.2f}"
    assert f"{len(expected)} of {len(page.scores())} fragments" in page.one("#tally").text


def test_the_slider_is_moved_by_keyboard_and_set_back(open_page):
    from selenium.webdriver.common.keys import Keys

    page = open_page("seed")
    before = page.marked()
    slider = page.one("#threshold")
    slider.send_keys(Keys.HOME)
    assert page.one("#threshold-value").text == "0.05"
    scores = page.scores()
    assert page.marked() == {n for n, score in enumerate(scores) if score >= 0.05}
    slider.send_keys(Keys.END)
    assert page.one("#threshold-value").text == "0.99"
    assert page.marked() == {n for n, score in enumerate(scores) if score >= 0.99} < before
    slider.send_keys(Keys.ARROW_LEFT)
    assert page.one("#threshold-value").text == "0.98"
    page.one("#reset").click()
    assert page.marked() == before
    assert not page.one("#reset").is_displayed()


def test_a_reason_switched_off_removes_nothing(open_page):
    page = open_page("seed")
    before = page.marked()
    (switch,) = [e for e in page.find(".reason") if e.text.startswith("off-topic")]
    switch.click()
    assert page.marked() == set()
    assert page.one("#tally").text.startswith("0 of")
    switch.click()
    assert page.marked() == before


@pytest.mark.parametrize("name", ["seed", "hostile", "line ends", "paragraphs"])
def test_the_clean_text_is_the_filter_s_at_every_threshold(open_page, fast, texts, name):
    page = open_page(name)
    result = fast.clean_and_explain(texts[name])
    for threshold in (0.05, 0.2, 0.5, 0.8, 0.9, 0.99):
        page.set_threshold(threshold)
        expected = fast.apply(result, threshold=threshold).text
        assert page.clean_bytes() == expected.encode("utf-8", "surrogateescape")


def test_the_clean_text_is_saved_and_copied(open_page, fast, texts):
    page = open_page("hostile")
    expected = fast.clean(texts["hostile"])
    assert page.saved("#download") == expected.encode("utf-8", "surrogateescape")
    assert page.one("#said").text == "Saved as clean-hostile.txt."
    page = open_page("seed")
    page.command("Browser.grantPermissions", permissions=["clipboardReadWrite"])
    page.one("#copy").click()
    until = time.monotonic() + PATIENCE
    while not page.one("#said").text and time.monotonic() < until:
        time.sleep(0.05)
    assert page.one("#said").text == "Copied."
    copied = page.driver.execute_async_script(
        "navigator.clipboard.readText().then(arguments[arguments.length - 1])"
    )
    assert copied == fast.clean(texts["seed"])


def test_what_could_not_be_copied_is_not_said_to_be(open_page):
    page = open_page("seed")
    page.run(
        "navigator.clipboard.writeText = () => Promise.reject();"
        "document.execCommand = () => false; document.getElementById('copy').click()"
    )
    assert page.one("#said").text == "This browser does not let the page copy: download it."


def test_hovering_shows_score_reason_and_evidence(open_page):
    page = open_page("seed")
    assert "Point at a fragment" in page.one("#detail").text
    fragment = page.find(".fragment.gone")[0]
    page.hover(fragment)
    shown = page.one("#detail").text
    index = int(fragment.get_attribute("data-index"))
    assert f"{page.scores()[index]:.2f}" in shown
    assert "removed: off-topic" in shown
    assert "log-likelihood ratio" in shown
    assert "before any evidence" in shown
    assert len(page.find("#detail .bar")) > 6


def test_the_bars_are_the_sum_that_the_score_is(open_page):
    page = open_page("seed")
    for index in sorted(page.marked()):
        page.run("view.choose(arguments[0])", index)
        figures = [
            e.text.replace("\u2212", "-") for e in page.find("#detail .bars:last-of-type .figure")
        ]
        log_odds = sum(map(float, figures))
        assert 1 / (1 + pow(2.718281828, -log_odds)) == pytest.approx(
            page.scores()[index], abs=0.01
        )


# --- verdicts ------------------------------------------------------------------------------------


def test_clicks_say_that_a_verdict_is_wrong_and_the_export_holds_them(open_page, texts):
    page = open_page("seed")
    gone = sorted(page.marked())
    kept = next(i for i in range(len(page.scores())) if i not in gone)
    for index in (gone[0], kept, gone[1], gone[1]):
        page.one(f'.fragment[data-index="{index}"]').click()
    assert gone[0] not in page.marked()
    assert kept in page.marked()
    assert gone[1] in page.marked()
    assert page.one("#export").text == "Export 2 verdicts"
    (record,) = page.records()
    assert (record["id"], record["source"], record["title"]) == ("seed", "the source", None)
    assert record["text"] == texts["seed"]
    article = page.run("return view.article")
    assert record["spans"] == sorted(
        (
            {"start": article["start"][index], "end": article["end"][index], "label": label}
            for index, label in ((gone[0], 0), (kept, 1))
        ),
        key=lambda span: span["start"],
    )


def test_exported_offsets_are_code_points(open_page, fast, texts):
    page = open_page("hostile")
    fragments = fast.clean_and_explain(texts["hostile"]).fragments
    for index in (0, 3, len(fragments) - 1):
        page.run("view.judge(arguments[0], 1)", index)
    (record,) = page.records()
    text = record["text"]
    assert text == texts["hostile"]
    for span, index in zip(record["spans"], (0, 3, len(fragments) - 1), strict=True):
        assert (span["start"], span["end"]) == (fragments[index].start, fragments[index].end)


def test_all_fragments_can_be_exported_as_the_threshold_decides(open_page):
    page = open_page("seed")
    page.set_threshold(0.5)
    scores = page.scores()
    page.run("view.judge(0, 1)")
    page.one("#export-all").click()
    (record,) = page.records()
    assert [span["label"] for span in record["spans"]] == [1] + [
        int(score >= 0.5) for score in scores[1:]
    ]
    reasons = [span.get("reason") for span in record["spans"]]
    assert reasons == [None] + ["off-topic" if score >= 0.5 else None for score in scores[1:]]


def test_what_only_its_reason_keeps_is_not_exported_as_kept(open_page):
    page = open_page("seed")
    gone, count = page.marked(), len(page.scores())
    (switch,) = [e for e in page.find(".reason") if e.text.startswith("off-topic")]
    switch.click()
    page.run("view.judge(arguments[0], 1)", min(gone))
    page.one("#export-all").click()
    (record,) = page.records()
    assert len(record["spans"]) == count - len(gone) + 1
    assert [span["label"] for span in record["spans"]].count(1) == 1
    starts = page.run("return view.article.start")
    exported = {span["start"] for span in record["spans"]}
    assert not exported & {starts[index] for index in gone - {min(gone)}}


def test_without_verdicts_there_is_nothing_to_export(open_page):
    page = open_page("seed")
    assert not page.one("#export").is_enabled()
    page.one("#export-all").click()
    assert page.one("#export").is_enabled()


def test_a_verdict_holds_at_every_threshold(open_page):
    page = open_page("seed")
    gone = sorted(page.marked())
    page.run("view.judge(arguments[0], 0)", gone[0])
    page.set_threshold(0.05)
    assert gone[0] not in page.marked()
    page.one("#reset").click()
    assert page.marked() == set(gone[1:])


def test_a_verdict_that_was_taken_back_is_nothing_to_lose(open_page):
    page = open_page("seed")
    unsaved = "return state.unsaved"
    assert not page.run("view.judge(0, 1); view.judge(0, null);" + unsaved)
    assert page.run("view.judge(0, 1);" + unsaved)
    assert len(page.records()) == 1
    assert not page.run(unsaved)
    assert page.run("view.judge(0, null);" + unsaved)
    assert not page.run("view.judge(0, 1);" + unsaved)


def test_the_evidence_speaks_for_what_is_decided_now(open_page):
    page = open_page("seed")
    index = int(page.run("return view.article.score.indexOf(Math.max(...view.article.score))"))
    for threshold, sign in ((0.05, "+"), (0.99, "\u2212")):
        page.set_threshold(threshold)
        goes = page.scores()[index] >= threshold
        page.run("view.choose(arguments[0])", index)
        said = [item.text for item in page.find("#detail-words li")]
        assert said
        assert all(item.startswith(sign) for item in said) == (goes == (sign == "+"))


def test_how_many_of_the_closest_are_out_follows_the_slider(open_page):
    page = open_page("seed")
    told = "return [...document.querySelectorAll('#detail dt')].map((e) => e.title).join(' ')"
    index = page.run(
        "return view.article.explanations.findIndex((found) =>"
        " found.last[1].slice(0, page.shown_terms).some(([kind]) => page.counting.includes(kind)))"
    )
    nearest = page.run("return view.article.explanations[arguments[0]].nearest", index)
    for threshold in (0.05, 0.3, 0.99):
        page.set_threshold(threshold)
        page.run("view.choose(arguments[0])", index)
        out = len(page.marked() & set(nearest))
        assert f"{out} of the 5 fragments closest to it are out" in page.run(told)


def test_everything_can_be_done_by_keyboard(open_page):
    from selenium.webdriver.common.keys import Keys

    page = open_page("seed")
    gone = sorted(page.marked())
    active = "return document.activeElement.dataset.index ?? document.activeElement.id"
    reached = []
    while not (reached and reached[-1] == "0"):
        page.press(Keys.TAB)
        reached.append(page.run(active))
        assert len(reached) < 20
    assert "threshold" in reached
    page.press("n")
    assert page.run(active) == str(gone[0])
    assert "removed: off-topic" in page.one("#detail").text
    page.press("k")
    assert page.marked() == set(gone[1:])
    assert "kept, by you" in page.one("#detail").text
    page.press("n", "d")
    assert page.run("return [...view.article.verdicts]") == [[gone[0], 0], [gone[1], 1]]
    page.press("u", Keys.ARROW_DOWN, Keys.SPACE)
    assert page.run("return [...view.article.verdicts]") == [[gone[0], 0], [gone[1] + 1, 1]]
    page.press(Keys.END)
    assert page.run(active) == str(len(page.scores()) - 1)
    # One stop for the tabulator in the text, then the map's neighbours.
    page.press(Keys.TAB)
    assert page.run(active) != str(len(page.scores()) - 1)


def test_a_key_acts_on_the_fragment_that_the_panel_shows(open_page):
    from selenium.webdriver.common.keys import Keys

    page = open_page("seed")
    page.run("view.elements[0].focus()")
    page.press(Keys.HOME)
    page.hover(page.one('.fragment[data-index="1"]'))
    assert page.find(".fragment.shown")[0].get_attribute("data-index") == "1"
    page.press("d")
    assert page.run("return [...view.article.verdicts]") == [[1, 1]]
    assert "removed, by you" in page.one("#detail").text
    page.press(Keys.ARROW_DOWN, Keys.ARROW_DOWN, "d")
    assert page.run("return [...view.article.verdicts]") == [[1, 1], [2, 1]]


def test_what_is_scrolled_under_a_resting_mouse_is_not_pointed_at(open_page):
    from selenium.webdriver.common.keys import Keys

    page = open_page("seed")
    page.run("view.elements[0].focus()")
    page.hover(page.one('.fragment[data-index="8"]'))
    page.press(*[Keys.ARROW_DOWN] * 30)
    assert page.run("return [view.chosen, view.shown]") == [30, 30]


def test_a_right_verdict_is_confirmed_by_mouse(open_page):
    page = open_page("seed")
    fragment = page.find(".fragment.gone")[0]
    index = int(fragment.get_attribute("data-index"))
    page.hover(fragment)
    (drop,) = [button for button in page.find("#detail button") if button.text == "Drop"]
    # The buttons stay those of what was pointed at last when the mouse leaves the text.
    page.hover(page.one("#foot"))
    drop.click()
    assert page.run("return [...view.article.verdicts]") == [[index, 1]]


def test_the_panel_s_head_is_seen_of_each_fragment_that_is_moved_to(open_page):
    page = open_page("seed", size=(1280, 500))
    page.run("view.choose(0); byId('side').scrollTop = 9999")
    at = "return [byId('side').scrollTop, byId('detail').offsetTop]"
    scrolled, head = page.run(at)
    assert scrolled > head
    page.run("view.elements[0].focus()")
    page.press("n")
    scrolled, head = page.run(at)
    assert scrolled <= head


def test_a_screen_reader_is_told_what_is_marked(open_page):
    page = open_page("seed")
    gone = sorted(page.marked())
    tree = page.command("Accessibility.getFullAXTree")["nodes"]
    names = [
        node["name"]["value"]
        for node in tree
        if node.get("role", {}).get("value") == "button" and node.get("name", {}).get("value")
    ]
    removed = [name for name in names if name.startswith("Removed, off-topic")]
    assert len(removed) == len(gone)
    unnamed = [
        node
        for node in tree
        if node.get("role", {}).get("value") in ("button", "slider", "checkbox", "link", "image")
        and not node.get("ignored")
        and not node.get("name", {}).get("value")
    ]
    assert not unnamed


def test_the_map_leads_to_the_fragment(open_page):
    page = open_page("seed")
    circles = page.find("#map circle")
    assert len(circles) == len(page.scores())
    gone = {int(e.get_attribute("data-index")) for e in page.find("#map circle.gone")}
    assert gone == page.marked()
    page.one(f'#map circle[data-index="{min(gone)}"]').click()
    assert page.run("return document.activeElement.dataset.index") == str(min(gone))


# --- hostile text --------------------------------------------------------------------------------


def test_hostile_text_does_nothing_and_is_shown_as_it_is(open_page):
    page = open_page("hostile")
    assert page.run("return typeof window.hacked") == "undefined"
    assert page.find("img") == []
    shown = "\n".join(fragment.text for fragment in page.find(".fragment bdi"))
    assert (
        "</script><script>window.hacked = 1</script> <img src=x onerror=window.hacked=1>" in shown
    )
    assert "U+202Eturned" in shown
    assert "U+061CU+00ADU+180EU+200BU+E0001U+E0041" in shown
    assert "\\xFF" in shown
    assert "U+0000" in shown
    assert "&amp;" in shown
    assert "\u202e" not in page.run("return document.body.innerText")


def test_the_policy_refuses_scripts_styles_and_the_network(open_page, browser):
    page = open_page("seed")
    page.run(
        "const s = document.createElement('script'); s.textContent = 'window.hacked = 1';"
        "document.body.append(s);"
        "const i = document.createElement('img'); i.src = 'https://example.org/x.png';"
        "document.body.append(i);"
        "const d = document.createElement('div'); d.innerHTML = '<b onclick=\"hacked=1\">x</b>';"
        "document.body.append(d); d.firstChild.click();"
    )
    assert page.run("return typeof window.hacked") == "undefined"
    refused = [entry["message"] for entry in browser.get_log("browser")]
    assert len(refused) >= 3
    assert all("Content Security Policy" in message for message in refused)


def test_nothing_is_fetched(open_page):
    page = open_page("corpus")
    assert page.run("return performance.getEntriesByType('resource').map((e) => e.name)") == []


# --- a corpus ------------------------------------------------------------------------------------


def test_a_corpus_leads_to_its_documents_and_back(open_page, browser):
    page = open_page("corpus")
    headings = [element.text for element in page.find("#corpus h2")]
    assert headings[:3] == ["In all", "Least certain first", "By reason"]
    assert "5 documents" in page.one("#about").text
    assert not page.one("#article").is_displayed()
    page.find(".list a")[0].click()
    assert page.one("#article").is_displayed()
    assert not page.one("#corpus").is_displayed()
    assert page.marked()
    page.run("window.scrollTo(0, document.body.scrollHeight)")
    page.one("#back a").click()  # which stays in sight
    assert page.one("#corpus").is_displayed()
    browser.back()
    assert page.one("#article").is_displayed()


def test_a_doubt_leads_to_its_fragment(open_page):
    page = open_page("corpus")
    link = page.find("#corpus th a")[0]
    index = link.get_attribute("href").rsplit("-", 1)[1]
    page.run("arguments[0].click()", link)
    assert page.run("return document.activeElement.dataset.index") == index


def test_the_corpus_s_slider_counts_as_the_scores_say(open_page):
    page = open_page("corpus")
    scores = page.run("return articles.flatMap((article) => article.judged ? article.score : [])")
    for threshold in (0.05, 0.5, 0.99):
        page.set_threshold(threshold)
        over = sum(score >= threshold for score in scores)
        assert page.one("#tally").text.startswith(f"{over} of {len(scores)} fragments")


def test_a_verdict_stands_beside_the_doubt_it_is_on(open_page):
    page = open_page("corpus")
    doubt, text = page.run(
        "const { page, index, text } = corpus.corpus.doubts[0]; return [[page, index], text]"
    )
    page.run(
        "window.location.hash = `#article-${arguments[0][0]}-${arguments[0][1]}`; show()", doubt
    )
    page.run("view.judge(view.chosen, 0)")
    page.run("window.location.hash = ''; show()")
    row = page.find("#corpus tr:has(th a)")[0]
    assert "you keep" in row.text
    assert row.text.startswith(text[:20])
    said = [item.text for item in page.find(".list li") if "verdict" in item.text]
    assert len(said) == 1
    assert said[0].endswith(" 1 verdict")


def test_a_doubt_says_whether_it_goes_as_the_page_is_set(open_page):
    page = open_page("corpus")
    said = (
        "return [...document.querySelectorAll('tr:has(th a)')]"
        ".map((row) => row.cells[3].textContent)"
    )
    scores = page.run("return corpus.corpus.doubts.map(({ score }) => score)")[:12]
    for threshold in (0.05, 0.97, 0.99):
        page.set_threshold(threshold)
        expected = ["removed" if score >= threshold else "kept" for score in scores]
        assert page.run(said) == expected
    page.set_threshold(0.05)
    page.find(".reason input")[0].click()
    assert page.run(said) == ["kept"] * len(scores)


def test_that_all_doubts_are_wanted_is_remembered(open_page):
    page = open_page("corpus")
    page.run("corpus.corpus.doubts = Array(20).fill(corpus.corpus.doubts[0]); show()")
    rows = "tr:has(th a)"
    assert len(page.find(rows)) == 12
    (more,) = [button for button in page.find("#corpus button") if button.text == "Show all 20"]
    page.run("arguments[0].click()", more)
    assert len(page.find(rows)) == 20
    page.run("window.location.hash = '#article-0'; show()")
    page.run("window.location.hash = ''; show()")
    assert len(page.find(rows)) == 20


def test_tables_name_the_threshold_that_they_were_made_at(open_page):
    page = open_page("corpus")
    page.set_threshold(0.3)
    captions = [caption.text for caption in page.find("caption")]
    assert captions[0] == "Closest to threshold 0.50; a verdict on them teaches most"
    assert "At threshold 0.50; told apart by their words alone" in captions
    assert "At threshold 0.30" in captions


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_one_long_string_leaves_the_tables_as_they_are(open_page, size):
    page = open_page("corpus", size=size)
    page.run(
        "const long = 'x'.repeat(300); const { doubts, frequent, sources } = corpus.corpus;"
        "doubts[0].text = doubts[0].name = frequent[0][0] = sources[0][0] = long; show()"
    )
    for table in page.find("#corpus table"):
        width = page.run("return arguments[0].offsetWidth", table)
        assert width < 1.7 * size[0]
    first = page.run(
        "return document.querySelector('tr:has(th a) a').getBoundingClientRect().right"
    )
    assert first < size[0]


def test_an_odd_threshold_counts_as_it_says(browser, tmp_path, seed):
    cleaner = Cleaner(threshold=0.003)
    reads = [Read(Document(seed, identity=str(n)), f"{n}.txt", "s") for n in range(2)]
    (tmp_path / "odd.html").write_bytes(make_report(reads, cleaner).html)
    page = Page(browser, (tmp_path / "odd.html").as_uri(), tmp_path)
    scores = page.run("return articles.flatMap((article) => article.score)")
    over = sum(score >= 0.003 for score in scores)
    assert page.one("#threshold-value").text == "0.003"
    assert page.one("#tally").text.startswith(f"{over} of {len(scores)} fragments")
    shares = "return [corpus.tally().share, page.corpus.removed / page.corpus.characters]"
    assert len(set(page.run(shares))) == 1
    page.set_threshold(0.01)
    assert page.one("#threshold-value").text == "0.01"


def test_verdicts_on_several_documents_are_exported_together(open_page):
    page = open_page("corpus")
    for at in (1, 0):
        page.run("window.location.hash = arguments[0]", f"#article-{at}")
        page.run("show(); view.judge(0, 0)")
    names = page.run("return articles.slice(0, 2).map((article) => article.id)")
    assert [record["id"] for record in page.records()] == names


def test_what_was_not_judged_says_why(open_page):
    page = open_page("corpus")
    at = page.run("return articles.findIndex((article) => !article.judged)")
    page.run("window.location.hash = arguments[0]; show()", f"#article-{at}")
    assert "fewer than 5 fragments" in page.one("#notice").text
    page.run("view.choose(0)")
    assert [item.text for item in page.find("#detail-words li")] == ["not judged"]
    assert not page.one("#reasons-group").is_displayed()  # there is none to remove for
    detail = page.one("#detail")
    style = "const { borderTopWidth, paddingTop } = getComputedStyle(arguments[0]);"
    assert page.run(style + "return [borderTopWidth, paddingTop]", detail) == ["0px", "0px"]


def test_what_is_not_explained_says_why(open_page):
    page = open_page("corpus")
    page.run("window.location.hash = '#article-0'; show()")
    page.run("view.choose(view.article.explanations.indexOf(null))")
    assert page.one("#detail-words").text == (
        "next to no suspicion: this page has no evidence on scores below 0.05"
    )


# --- the screen ----------------------------------------------------------------------------------


def test_the_page_follows_the_reader_s_colour_scheme(open_page):
    colour = "return getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)"
    assert min(open_page("seed").run(colour)) > 200
    assert max(open_page("seed", dark=True).run(colour)) < 60


@pytest.mark.parametrize("name", ["hostile", "corpus"])
def test_nothing_is_wider_than_a_phone(open_page, name):
    page = open_page(name, size=PHONE)
    assert page.run("return document.documentElement.scrollWidth") <= PHONE[0]


def test_a_table_that_is_too_wide_is_moved_within_its_frame(open_page):
    page = open_page("corpus", size=PHONE)
    page.run("for (const table of document.querySelectorAll('table')) table.style.width = '900px'")
    assert page.run("return document.documentElement.scrollWidth") <= PHONE[0]


def test_on_a_phone_a_touch_opens_the_verdict(open_page):
    page = open_page("seed", size=PHONE)
    assert not page.one("#detail").is_displayed()
    first = page.find(".fragment.gone")[0]
    page.run("arguments[0].scrollIntoView({block: 'center'})", first)
    first.click()
    assert page.one("#detail").is_displayed()
    index = int(first.get_attribute("data-index"))
    assert index in page.marked()
    (keep,) = [button for button in page.find("#detail button") if button.text == "Keep"]
    keep.click()
    assert index not in page.marked()
    (close,) = [button for button in page.find("#detail button") if button.text == "Close"]
    close.click()
    assert not page.one("#detail").is_displayed()


def test_on_a_phone_the_keyboard_and_the_map_open_the_evidence(open_page):
    page = open_page("seed", size=PHONE)
    page.run("view.elements[0].focus()")
    page.press("n")
    detail = page.one("#detail")
    assert detail.is_displayed()
    shown, sheet = (
        page.run("return arguments[0].getBoundingClientRect().toJSON()", element)
        for element in (page.one(".fragment.chosen"), detail)
    )
    assert shown["bottom"] <= sheet["top"]
    described = "return document.querySelectorAll('[aria-describedby=\"detail-words\"]').length"
    assert page.run(described) == 1
    from selenium.webdriver.common.keys import Keys

    page.press(Keys.ESCAPE)
    assert not detail.is_displayed()
    circle = page.one('#map circle[data-index="3"]')
    page.run("arguments[0].dispatchEvent(new MouseEvent('click', {bubbles: true}))", circle)
    assert page.one("#detail").is_displayed()
    assert page.run("return view.chosen") == 3


def test_in_print_the_text_stays_and_the_controls_go(open_page):
    page = open_page("seed", dark=True)
    page.command("Emulation.setEmulatedMedia", media="print")
    assert not page.one("#threshold").is_displayed()
    assert not page.one("#export").is_displayed()
    assert page.find(".fragment.gone")[0].is_displayed()
    background = page.run("return getComputedStyle(document.body).backgroundColor")
    assert background == "rgb(255, 255, 255)"
    assert base64.b64decode(page.command("Page.printToPDF")["data"]).startswith(b"%PDF")


def test_in_print_every_reason_is_seen_and_whether_it_is_switched_off(open_page):
    page = open_page("corpus", size=A4)
    page.find(".reason input")[0].click()
    page.command("Emulation.setEmulatedMedia", media="print")
    line = "return getComputedStyle(arguments[0]).textDecorationLine"
    assert page.run(line, page.find(".reason")[0]) == "line-through"
    wrap = "const { flexWrap, overflowX } = getComputedStyle(byId('reasons'));"
    assert page.run(wrap + "return [flexWrap, overflowX]") == ["wrap", "visible"]
    assert not [button for button in page.find("#corpus button") if button.is_displayed()]


def test_who_wants_no_motion_gets_none(open_page):
    moves = "return getComputedStyle(document.documentElement).scrollBehavior"
    assert open_page("seed", reduced=True).run(moves) == "auto"
    assert open_page("seed", reduced=False).run(moves) == "smooth"
