// The page: what is shown, the threshold, the switches, and what is taken away.

const read = (id) => JSON.parse(byId(id).textContent);
const page = read("page-data");

const articles = [];
for (let at = 0; byId(`article-${at}`); at += 1) {
  const article = read(`article-${at}`);
  article.verdicts = new Map();
  articles.push(article);
}

const narrow = window.matchMedia("(max-width: 62rem)");
const state = { page, narrow, threshold: page.threshold, off: new Set(), unsaved: false, changed: () => {} };
const corpus = page.corpus ? new CorpusView(page.corpus, articles, state) : null;
let view = null;
let map = null;

const slider = byId("threshold");

// --- showing ---

/** The article and fragment that the address names; nothing for the overview. */
function route() {
  const found = /^#article-(\d+)(?:-(\d+))?$/.exec(window.location.hash);
  if (found && articles[Number(found[1])]) return [Number(found[1]), found[2] === undefined ? -1 : Number(found[2])];
  return corpus ? [null, -1] : [0, -1];
}

function show() {
  const [at, index] = route();
  document.body.classList.remove("sheet");
  const overview = at === null;
  document.body.classList.toggle("overview", overview);
  for (const [id, hidden] of [["article", overview], ["corpus", !overview], ["detail", overview], ["text-buttons", overview]]) {
    byId(id).hidden = hidden;
  }
  byId("back").hidden = overview || !corpus;
  byId("said").textContent = "";
  if (overview) {
    view = map = null;
    byId("map-section").hidden = true;
    heading(page.name, `${number(page.corpus.documents)} documents`);
    byId("notice").hidden = true;
    corpus.draw();
  } else {
    showArticle(articles[at]);
    if (index >= 0) view.choose(index, { focus: true });
    else if (corpus) window.scrollTo(0, 0);
  }
  refresh();
  if (!overview && index >= 0 && !narrow.matches) view.elements[index]?.scrollIntoView({ block: "center" });
}

function showArticle(article) {
  view = new ArticleView(article, state);
  view.draw();
  map = new MapView(view);
  heading(article.heading, article.heading === article.name ? "" : article.name);
  const notice = byId("notice");
  notice.hidden = article.judged;
  const kept = article.settled.includes(true) ? "Nothing goes but what a pattern drops." : "The document is kept whole.";
  notice.textContent = `Not judged: ${article.why}. ${kept}`;
}

function heading(title, about) {
  for (const [id, text] of [["heading", title], ["about", about]]) {
    byId(id).replaceChildren();
    putText(byId(id), text);
    byId(id).hidden = !text;
  }
}

/** Mark everything at the state as it now is. */
function refresh() {
  const shown = view || corpus;
  shown.mark();
  map?.mark();
  const { fragments, of, share } = shown.tally();
  byId("tally").replaceChildren(
    make("strong", "", `${number(fragments)} of ${number(of)}`),
    ` fragments, ${percent(share)} of the text`,
  );
  byId("threshold-value").textContent = exact(state.threshold);
  slider.setAttribute("aria-valuetext", `${exact(state.threshold)}: ${fragments} of ${of} fragments removed`);
  byId("reset").hidden = state.threshold === page.threshold && !state.off.size;
  drawReasons(shown);
  const count = articles.reduce((sum, article) => sum + article.verdicts.size, 0);
  const every = byId("export-all").checked;
  byId("export").textContent = every ? "Export every fragment" : `Export ${verdictsInWords(count)}`;
  byId("export").disabled = !count && !every;
}

// --- threshold and reasons ---

const switches = page.reasons.map((name, reason) => {
  const label = make("label", `reason r${reason}`);
  const box = make("input");
  box.type = "checkbox";
  box.checked = true;
  box.addEventListener("change", () => {
    if (box.checked) state.off.delete(reason);
    else state.off.add(reason);
    refresh();
  });
  const count = make("span", "count");
  label.append(box, make("span", "name", name), count);
  byId("reasons").append(label);
  return { label, box, count };
});

function drawReasons(shown) {
  const counts = shown.byReason();
  switches.forEach(({ label, count }, reason) => {
    label.hidden = !shown.occurs(reason);
    count.textContent = compact(counts[reason]);
    label.classList.toggle("none", !counts[reason]);
  });
  byId("reasons-group").hidden = switches.every(({ label }) => label.hidden);
}

slider.min = String(Math.floor(page.explained * 100) / 100);
if (page.threshold > Number(slider.max)) slider.max = "1";
slider.value = String(page.threshold);
slider.addEventListener("input", () => {
  state.threshold = Number(slider.value);
  refresh();
});
byId("reset").addEventListener("click", () => {
  state.threshold = page.threshold;
  slider.value = String(page.threshold);
  state.off.clear();
  for (const { box } of switches) box.checked = true;
  refresh();
  slider.focus();
});

// --- the text ---

const indexOf = (event) => {
  const found = event.target.closest?.("[data-index]");
  return found ? Number(found.dataset.index) : -1;
};
const root = byId("article");
root.addEventListener("click", (event) => {
  const index = indexOf(event);
  if (index < 0 || String(window.getSelection())) return; // a selection is no click
  view.choose(index);
  if (!narrow.matches) {
    view.flip(index);
    return;
  }
  document.body.classList.add("sheet"); // there the verdict is given with buttons
  view.elements[index].scrollIntoView({ block: "start" });
});
const placeOf = (event) => `${event.screenX} ${event.screenY}`;
let resting = ""; // the mouse's place: what is scrolled under it there, by keyboard, is not pointed at
document.addEventListener("pointermove", (event) => {
  resting = placeOf(event);
});
// What was pointed at last stays in the panel, where its buttons are.
root.addEventListener("pointerover", (event) => {
  const index = indexOf(event);
  if (index >= 0 && event.pointerType === "mouse" && placeOf(event) !== resting) view.show(index);
});
root.addEventListener("focusin", (event) => {
  const index = indexOf(event);
  if (index >= 0 && (index !== view.chosen || index !== view.shown)) {
    view.choose(index);
    map?.mark();
  }
});

const KEYS = {
  ArrowDown: () => view.choose(view.chosen + 1, { focus: true }),
  ArrowRight: () => view.choose(view.chosen + 1, { focus: true }),
  ArrowUp: () => view.choose(view.chosen - 1, { focus: true }),
  ArrowLeft: () => view.choose(view.chosen - 1, { focus: true }),
  Home: () => view.choose(0, { focus: true }),
  End: () => view.choose(view.count - 1, { focus: true }),
  n: () => view.choose(view.nextMark(1), { focus: true }),
  p: () => view.choose(view.nextMark(-1), { focus: true }),
  // A verdict is on what the panel shows, be it pointed at or moved to.
  k: () => view.judge(view.shown, 0),
  d: () => view.judge(view.shown, 1),
  u: () => view.judge(view.shown, null),
  Enter: () => view.flip(view.shown),
  " ": () => view.flip(view.shown),
};
root.addEventListener("keydown", (event) => {
  const action = KEYS[event.key];
  if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  action();
  map?.mark();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") document.body.classList.remove("sheet");
});

byId("map").addEventListener("click", (event) => {
  const index = indexOf(event);
  if (index < 0) return;
  view.choose(index, { focus: true });
  if (!narrow.matches) view.elements[index].scrollIntoView({ block: "center" });
  map.mark();
});
byId("map").addEventListener("pointerover", (event) => {
  const index = indexOf(event);
  if (index >= 0) view.show(index);
});

/** The verdicts as they stand, to tell whether they are those that were saved. */
const verdictsNow = () => JSON.stringify(articles.map(({ verdicts }) => [...verdicts].sort((a, b) => a[0] - b[0])));
let saved = verdictsNow();

state.changed = () => {
  state.unsaved = verdictsNow() !== saved;
  refresh();
};

// --- taking away ---

function say(text) {
  byId("said").textContent = text;
}

function save(parts, name, type) {
  const link = make("a");
  link.href = URL.createObjectURL(new Blob(parts, { type }));
  link.download = name;
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  say(`Saved as ${name}.`);
}

const fileName = (name) => name.split(/[\\/]/).pop().replace(/[^\p{L}\p{N}._-]+/gu, "-") || "article";

/** Whether `text` could be put on the clipboard. */
async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // From a file some browsers have no clipboard of the newer kind.
    const area = make("textarea", "unseen");
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

byId("copy").addEventListener("click", async () => {
  say((await copied(view.cleanText())) ? "Copied." : "This browser does not let the page copy: download it.");
});
byId("download").addEventListener("click", () => {
  save(bytesOf(view.cleanText()), `clean-${fileName(view.article.name).replace(/\.txt$/, "")}.txt`, "text/plain");
});
byId("export").addEventListener("click", () => {
  const every = byId("export-all").checked;
  const records = articles.map((article) => new ArticleView(article, state).record(every)).filter(Boolean);
  const lines = records.map((record) => `${JSON.stringify(record)}\n`);
  save(lines, "verdicts.jsonl", "application/jsonl");
  saved = verdictsNow();
  state.unsaved = false;
});
byId("export-all").addEventListener("change", refresh);

window.addEventListener("beforeunload", (event) => {
  if (state.unsaved) event.preventDefault();
});
window.addEventListener("hashchange", show);

byId("foot").textContent =
  `cleaner ${page.version}, encoder ${page.encoder}, default threshold ${exact(page.threshold)}. ` +
  "Scores are calibrated probabilities that a fragment does not belong to its article.";
show();
