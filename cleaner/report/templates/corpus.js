// A corpus: what was counted, at the threshold where it can be, and the documents that have pages.

const SHOWN_DOUBTS = 12; // until all are asked for

class CorpusView {
  constructor(corpus, articles, state) {
    this.corpus = corpus;
    this.articles = articles;
    this.state = state;
    this.page = state.page;
    this.allDoubts = false; // or the first ones
    this.root = byId("corpus");
  }

  /** Fragments and code points with a score from the threshold on: by reason. */
  byReason(kind = 0) {
    return this.page.reasons.map((_, reason) => {
      const counts = this.from(this.state.threshold, this.corpus.scores[kind][reason]);
      return counts.reduce((sum, count) => sum + count, 0) + this.corpus.settled[kind][reason];
    });
  }

  /** The counts of the fragments with a score from `threshold` on. */
  from(threshold, counts) {
    return counts.slice(this.corpus.steps.findIndex((step) => step > threshold - 1e-9) + 1);
  }

  occurs(reason) {
    const { settled, scores } = this.corpus;
    return settled[0][reason] > 0 || this.from(this.page.explained, scores[0][reason]).some((count) => count > 0);
  }

  tally() {
    const on = (counts) => counts.reduce((sum, count, reason) => sum + (this.state.off.has(reason) ? 0 : count), 0);
    return {
      fragments: on(this.byReason()),
      of: this.corpus.fragments,
      share: on(this.byReason(1)) / Math.max(this.corpus.characters, 1),
    };
  }

  draw() {
    this.root.replaceChildren(
      this.section("In all", this.figures()),
      this.section("Least certain first", (this.doubtBody = make("div"))),
      this.section("By reason", (this.reasonBody = make("div"))),
      this.section("Distribution of scores", (this.scoreBody = make("div"))),
      this.section("Documents by the share of their text that is removed", this.shares()),
      this.section("By source", this.sources()),
      this.section("Most frequent removed fragments", this.frequent()),
      this.section("Documents with a page", this.pages()),
      this.section("Left out of this page", this.leftOut()),
    );
    this.mark();
  }

  mark() {
    this.doubtBody.replaceChildren(...this.doubts());
    this.reasonBody.replaceChildren(this.reasons());
    this.scoreBody.replaceChildren(this.scores());
  }

  section(name, ...content) {
    const section = make("section");
    section.append(make("h2", "", name), ...content);
    return section;
  }

  figures() {
    const { corpus } = this;
    const list = make("dl", "figures");
    const at = `at threshold ${exact(this.page.threshold)}`;
    const rows = [
      ["Documents", number(corpus.documents), ""],
      ["Judged", number(corpus.judged), corpus.why.map(([why, count]) => `${number(count)}: ${why}`).join("; ")],
      ["With something removed", number(corpus.changed), `${percent(corpus.changed / Math.max(corpus.documents, 1))}, ${at}`],
      ["Removed", percent(corpus.removed / Math.max(corpus.characters, 1), 2), `of ${number(corpus.characters)} characters, ${at}`],
    ];
    for (const [name, value, more] of rows) {
      const group = make("div");
      const shown = make("dd", "", value);
      if (more) shown.append(make("small", "", more));
      group.append(make("dt", "", name), shown);
      list.append(group);
    }
    return list;
  }

  /** A table; a cell is text, a number, or an element. */
  table(caption, heads, rows) {
    const table = make("table");
    table.append(make("caption", "", caption));
    const head = make("tr");
    for (const [name, kind] of heads) {
      const cell = make("th", kind === "number" ? "number" : "", name);
      if (!name) cell.append(make("span", "unseen", "As a bar"));
      cell.scope = "col";
      head.append(cell);
    }
    const top = make("thead");
    top.append(head);
    const body = make("tbody");
    for (const row of rows) {
      const line = make("tr");
      row.forEach((value, at) => {
        const cell = make(at ? "td" : "th", heads[at][1]);
        if (!at) cell.scope = "row";
        if (value instanceof Node) cell.append(value);
        else putText(cell, String(value));
        line.append(cell);
      });
      body.append(line);
    }
    table.append(top, body);
    const scroll = make("div", "scroll");
    scroll.append(table);
    return scroll;
  }

  meter(share, className = "") {
    const bar = make("span", `meter ${className}`);
    bar.style.width = `${Math.max(100 * share, 0)}%`;
    return bar;
  }

  reasons() {
    const [counts, sizes] = [this.byReason(), this.byReason(1)];
    const most = Math.max(...counts, 1);
    const rows = this.page.reasons
      .map((name, reason) => ({ name, reason, count: counts[reason], size: sizes[reason] }))
      .filter(({ count }) => count)
      .sort((a, b) => b.count - a.count)
      .map(({ name, reason, count, size }) => {
        const label = make("span", `r${reason}`);
        label.append(make("span", "swatch"), this.state.off.has(reason) ? `${name} (switched off)` : name);
        return [label, number(count), number(size), this.meter(count / most, `r${reason}`)];
      });
    const heads = [["Reason", ""], ["Fragments", "number"], ["Characters", "number"], ["", "bar"]];
    return this.table(`At threshold ${exact(this.state.threshold)}`, heads, rows);
  }

  /** Fragments by score, the counts on a logarithmic axis: most scores are next to nought. */
  scores() {
    const bins = Array.from({ length: 20 }, () => 0);
    for (const row of this.corpus.scores[0]) {
      row.forEach((count, step) => {
        const from = step ? this.corpus.steps[step - 1] : 0; // the scores lie from there up to the next step
        bins[Math.min(Math.floor(20 * from + 1e-9), 19)] += count;
      });
    }
    const [width, height, floor] = [640, 170, 145];
    const tall = (count) => (count ? (120 * Math.log10(1 + count)) / Math.log10(1 + Math.max(...bins)) : 0);
    const words = bins.map((count, at) => `${(at / 20).toFixed(2)} to ${((at + 1) / 20).toFixed(2)}: ${number(count)}`);
    const chart = shape("svg", { viewBox: `0 0 ${width} ${height}`, class: "histogram", role: "img" });
    chart.setAttribute("aria-label", `Fragments by score. ${words.join("; ")}`);
    bins.forEach((count, at) => {
      const over = at / 20 >= this.state.threshold - 1e-9;
      const bar = shape("rect", {
        x: at * 32 + 2, width: 28, y: floor - tall(count), height: tall(count), class: over ? "over" : "",
      });
      bar.append(shape("title", {}, words[at]));
      chart.append(bar);
      chart.append(shape("text", { x: at * 32 + 16, y: floor - tall(count) - 4, "text-anchor": "middle" }, count ? compact(count) : ""));
    });
    const mark = this.state.threshold * width;
    chart.append(shape("line", { x1: 0, x2: width, y1: floor, y2: floor }));
    chart.append(shape("line", { x1: mark, x2: mark, y1: 8, y2: floor, "stroke-dasharray": "3 3" }));
    for (const value of [0, 0.2, 0.4, 0.6, 0.8, 1]) {
      const anchor = value === 0 ? "start" : value === 1 ? "end" : "middle";
      chart.append(shape("text", { x: value * width, y: floor + 16, "text-anchor": anchor }, value.toFixed(1)));
    }
    const note = make("p", "small", "Fragments by score; heights are logarithmic, and the dashed line is the threshold.");
    const both = make("div");
    both.append(chart, note);
    return both;
  }

  shares() {
    const { shares } = this.corpus;
    const most = Math.max(...shares.map(([, count]) => count), 1);
    const rows = shares.map(([limit, count], at) => {
      const from = at ? shares[at - 1][0] : 0;
      const name = at ? `over ${percent(from, 0)} to ${percent(limit, 0)}` : "nothing";
      return [name, number(count), this.meter(count / most)];
    });
    return this.table(`At threshold ${exact(this.page.threshold)}`, [["Removed", ""], ["Documents", "number"], ["", "bar"]], rows);
  }

  sources() {
    const rows = this.corpus.sources.map(([name, documents, changed, characters, removed]) => {
      const share = removed / Math.max(characters, 1);
      return [name, number(documents), number(changed), percent(share, 2), this.meter(Math.min(share * 2, 1))];
    });
    const heads = [["Source", "text"], ["Documents", "number"], ["Changed", "number"], ["Removed", "number"], ["", "bar"]];
    return this.table(`At threshold ${exact(this.page.threshold)}; a full bar is half of the text`, heads, rows);
  }

  frequent() {
    const rows = this.corpus.frequent.map(([text, count, error]) => [
      text,
      error ? `${number(count - error)} to ${number(count)}` : number(count),
    ]);
    if (!rows.length) return make("p", "small", "Nothing was removed.");
    const caption = `At threshold ${exact(this.page.threshold)}; told apart by their words alone`;
    return this.table(caption, [["Fragment", "text"], ["Times", "number"]], rows);
  }

  doubts() {
    const { doubts } = this.corpus;
    if (!doubts.length) return [make("p", "small", "No document with a page has any.")];
    const shown = this.allDoubts ? doubts : doubts.slice(0, SHOWN_DOUBTS);
    const heads = [["Fragment", "text"], ["Score", "number"], ["Reason", "word"], ["Verdict", "word"], ["Document", "name"]];
    const caption = `Closest to threshold ${exact(this.page.threshold)}; a verdict on them teaches most`;
    const table = this.table(caption, heads, shown.map((doubt) => this.doubt(doubt)));
    if (shown.length === doubts.length) return [table];
    const more = make("button", "quiet", `Show all ${doubts.length}`);
    more.type = "button";
    more.addEventListener("click", () => {
      this.allDoubts = true;
      this.mark();
    });
    return [table, more];
  }

  /** A row: the fragment, which leads to itself, and what is decided of it as the page is set. */
  doubt({ page, index, text, score, reason, name }) {
    const link = make("a");
    link.href = `#article-${page}-${index}`;
    const body = make("bdi");
    putText(body, text);
    link.append(body);
    const article = this.articles[page];
    const goes = new ArticleView(article, this.state).goes(index);
    const by = article.verdicts.has(index) ? (goes ? "you drop" : "you keep") : goes ? "removed" : "kept";
    return [link, score.toFixed(3), this.page.reasons[reason], by, name.split(/[\\/]/).pop()];
  }

  pages() {
    const list = make("ol", "list");
    this.articles.forEach((article, at) => {
      const item = make("li");
      const link = make("a");
      link.href = `#article-${at}`;
      putText(link, article.heading);
      item.append(link);
      if (article.verdicts.size) item.append(make("span", "small", ` ${verdictsInWords(article.verdicts.size)}`));
      list.append(item);
    });
    return list;
  }

  leftOut() {
    const list = make("ul", "list");
    const said = this.corpus.left_out.length ? this.corpus.left_out : ["nothing: every document has its page"];
    list.append(...said.map((text) => make("li", "", text)));
    return list;
  }
}

const compact = (value) => value.toLocaleString("en", { notation: "compact", maximumFractionDigits: 1 });
