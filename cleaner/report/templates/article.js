// One article: its fragments, their marks, their evidence, and the reader's verdicts on them.

class ArticleView {
  constructor(article, state) {
    this.article = article;
    this.state = state;
    this.page = state.page;
    this.count = article.score.length;
    this.elements = [];
    this.chosen = -1; // where the keyboard is
    this.shown = -1; // what the panel shows
    this.gone = [];
    this.root = byId("article");
  }

  /** Whether a fragment goes: by the reader's verdict, a pattern, or its score and reason. */
  goes(index) {
    const verdict = this.article.verdicts.get(index);
    if (verdict !== undefined) return verdict === 1;
    return this.decided(index);
  }

  decided(index) {
    const settled = this.article.settled[index];
    if (this.state.off.has(this.article.reason[index])) return false;
    return settled === null ? this.article.score[index] >= this.state.threshold : settled;
  }

  /** The clean text at the threshold, with the reader's verdicts. */
  cleanText() {
    return without(this.article.text, cuts(this.article, this.gone));
  }

  draw() {
    const { article, root } = this;
    root.replaceChildren();
    let at = 0;
    let index = 0;
    for (const [start, end] of article.lines) {
      const apart = this.drawBetween(article.text.slice(at, start));
      const line = make("p", apart ? "apart" : "");
      line.dir = "auto";
      let inside = start;
      for (; index < this.count && article.to[index] <= end; index += 1) {
        putText(line, article.text.slice(inside, article.from[index]));
        line.append(this.fragment(index));
        inside = article.to[index];
      }
      root.append(line);
      at = end;
    }
    this.drawBetween(article.text.slice(at));
    if (this.count) this.elements[0].tabIndex = 0;
  }

  /** Lines that are no fragments: the header, and blank ones. True where a blank line stands at the end. */
  drawBetween(text) {
    const lines = text.split(/\r\n|[\n\r\x0b\x0c\x85\u2028\u2029]/);
    for (const line of lines) {
      if (!line.trim()) continue;
      const head = make("p", "head");
      head.dir = "auto";
      putText(head, line);
      this.root.append(head);
    }
    return lines.length > 1 && !lines[lines.length - 2].trim() && this.root.childElementCount > 0;
  }

  fragment(index) {
    const { article } = this;
    const element = make("span", `fragment r${article.reason[index]}`);
    element.tabIndex = -1;
    element.setAttribute("role", "button");
    element.dataset.index = String(index);
    const state = make("span", "unseen");
    const body = make("bdi");
    putText(body, article.text.slice(article.from[index], article.to[index]));
    const tag = make("span", "tag");
    tag.setAttribute("aria-hidden", "true");
    element.append(state, body, tag);
    this.elements[index] = element;
    return element;
  }

  /** Mark everything anew, at the state as it now is. */
  mark() {
    const { article } = this;
    for (let index = 0; index < this.count; index += 1) {
      const goes = this.goes(index);
      const judged = article.verdicts.has(index);
      const reason = this.reasonOf(index);
      this.gone[index] = goes;
      const element = this.elements[index];
      element.classList.toggle("gone", goes);
      element.classList.toggle("judged", judged);
      element.classList.toggle("suspected", !goes && !judged && article.score[index] >= this.page.underlined);
      element.setAttribute("aria-pressed", String(judged));
      const [said, tag] = [element.firstChild, element.lastChild];
      said.textContent = goes ? `Removed, ${judged ? "by you" : reason}: ` : judged ? "Kept by you: " : "";
      tag.textContent = judged ? (goes ? "you drop" : "you keep") : goes ? reason : "";
    }
    this.show(this.shown);
  }

  /** How much goes: fragments, and UTF-16 units of the text. */
  tally() {
    const spans = cuts(this.article, this.gone);
    const units = spans.reduce((sum, [start, end]) => sum + end - start, 0);
    const fragments = this.gone.filter(Boolean).length;
    return { fragments, of: this.count, share: units / Math.max(this.article.text.length, 1) };
  }

  /** Whether a reason is given for any fragment that raises a suspicion. */
  occurs(reason) {
    const { article, page } = this;
    return article.reason.some(
      (own, index) => own === reason && (article.settled[index] || article.score[index] >= page.explained),
    );
  }

  byReason() {
    const counts = this.page.reasons.map(() => 0);
    for (let index = 0; index < this.count; index += 1) {
      const settled = this.article.settled[index];
      const over = settled === null ? this.article.score[index] >= this.state.threshold : settled;
      if (over) counts[this.article.reason[index]] += 1;
    }
    return counts;
  }

  // --- one fragment ---

  reasonOf(index) {
    return this.page.reasons[this.article.reason[index]];
  }

  choose(index, { focus = false } = {}) {
    if (index < 0 || index >= this.count) return;
    this.elements[this.chosen]?.classList.remove("chosen");
    this.elements[this.chosen]?.removeAttribute("aria-describedby");
    for (const element of this.root.querySelectorAll('[tabindex="0"]')) element.tabIndex = -1;
    this.chosen = index;
    const element = this.elements[index];
    element.tabIndex = 0;
    element.classList.add("chosen");
    element.setAttribute("aria-describedby", "detail-words");
    this.show(index);
    // Its verdict stands at the head, however far down the panel was read before.
    const side = byId("side");
    side.scrollTop = Math.min(side.scrollTop, byId("detail").offsetTop);
    if (focus) {
      const { narrow } = this.state;
      if (narrow.matches) document.body.classList.add("sheet");
      element.focus({ preventScroll: true });
      // The sheet lies over the lower half: what is chosen goes above it.
      element.scrollIntoView({ block: narrow.matches ? "start" : "nearest" });
    }
  }

  /** The next mark behind `this.chosen`, or before it. */
  nextMark(step) {
    for (let index = this.chosen + step; index >= 0 && index < this.count; index += step) {
      if (this.gone[index]) return index;
    }
    return this.chosen;
  }

  /** 1: drop, 0: keep, null: as the score decides. */
  judge(index, verdict) {
    if (index < 0) return;
    if (verdict === null) this.article.verdicts.delete(index);
    else this.article.verdicts.set(index, verdict);
    this.state.changed();
  }

  /** What a click says: the verdict shown is wrong; or, where it is the reader's own, take it back. */
  flip(index) {
    this.judge(index, this.article.verdicts.has(index) ? null : this.goes(index) ? 0 : 1);
  }

  /** Show a fragment in the panel, and mark it in the text. */
  show(index) {
    this.elements[this.shown]?.classList.remove("shown");
    this.elements[index]?.classList.add("shown");
    this.shown = index;
    const detail = byId("detail");
    detail.className = "detail";
    const heading = make("h2", "", "The fragment");
    heading.id = "detail-heading";
    if (index < 0) {
      const hint = this.article.judged
        ? "Point at a fragment, or move to it with the keyboard, to see its score and what decided it."
        : `This document was not judged: ${this.article.why}.`;
      detail.replaceChildren(heading, make("p", "small", hint));
      return;
    }
    const { article } = this;
    detail.classList.add(`r${article.reason[index]}`);
    detail.replaceChildren(heading, this.verdictLine(index), this.words(index), this.verdictButtons(index));
    const found = article.explanations[index];
    if (found) {
      detail.append(
        ...this.pass("First pass", found.first, found, "at the fragment in its article, nothing being suspected yet"),
        ...this.pass("Last pass", found.last, found, "it sees what was suspected before; its sum is the score"),
      );
    }
  }

  verdictLine(index) {
    const { article } = this;
    const line = make("p", "verdict");
    const judged = article.verdicts.has(index);
    const goes = this.gone[index];
    const by = judged ? ", by you" : goes ? `: ${this.reasonOf(index)}` : "";
    line.append(make("span", "score", article.judged || article.settled[index] ? article.score[index].toFixed(2) : "\u2013"));
    line.append(make("span", goes ? "state gone" : "state", (goes ? "removed" : "kept") + by));
    return line;
  }

  words(index) {
    const list = make("ul");
    list.id = "detail-words";
    const found = this.article.explanations[index];
    const settled = this.article.settled[index];
    const deciding = found?.deciding[this.gone[index] ? "gone" : "kept"];
    let said = [this.unexplained()];
    if (found) said = deciding.map((term) => `${signed(term[1])}: ${this.wordsOf(term, found)}`);
    if (!said.length) said = [this.page.nothing];
    if (settled !== null) said = [settled ? this.page.dropped : this.page.kept];
    list.append(...said.map((text) => make("li", "", text)));
    return list;
  }

  /** Why a fragment has no evidence. */
  unexplained() {
    if (!this.article.judged) return "not judged";
    return `next to no suspicion: this page has no evidence on scores below ${this.page.explained}`;
  }

  /** What a term says; of the closest fragments, as many are out as now go. */
  wordsOf([kind, , words], found) {
    const said = this.article.strings[words];
    if (!this.page.counting.includes(kind)) return said;
    const out = found.nearest.filter((index) => this.gone[index]).length;
    return `${out} of the ${found.nearest.length} fragments closest to it are out; ${said}`;
  }

  verdictButtons(index) {
    const row = make("div", "buttons");
    const verdict = this.article.verdicts.get(index);
    for (const [name, value] of [["Keep", 0], ["Drop", 1]]) {
      const button = make("button", "", name);
      button.type = "button";
      button.setAttribute("aria-pressed", String(verdict === value));
      button.addEventListener("click", () => {
        this.judge(index, verdict === value ? null : value);
        byId("detail").querySelectorAll("button")[value]?.focus();
      });
      row.append(button);
    }
    const close = make("button", "quiet close", "Close");
    close.type = "button";
    close.addEventListener("click", () => {
      document.body.classList.remove("sheet");
      this.elements[index].focus();
    });
    row.append(close);
    return row;
  }

  /** One pass as the sum that it is, in log-odds. */
  pass(name, [base, terms], found, about) {
    const total = terms.reduce((sum, [, logOdds]) => sum + logOdds, base);
    const heading = make("h3", "", `${name}: ${probability(total).toFixed(2)} `);
    heading.append(make("span", "", `(log-odds ${signed(total)}; ${about})`));
    const bars = make("dl", "bars");
    const most = Math.max(Math.abs(base), ...terms.map(([, logOdds]) => Math.abs(logOdds)), 0.1);
    const rest = terms.slice(this.page.shown_terms);
    const rows = [["before any evidence", base, null]];
    for (const term of terms.slice(0, this.page.shown_terms)) {
      rows.push([this.page.kinds[term[0]], term[1], this.wordsOf(term, found)]);
    }
    if (rest.length) rows.push([`${rest.length} more`, rest.reduce((sum, [, logOdds]) => sum + logOdds, 0), null]);
    for (const [kind, logOdds, words] of rows) {
      const term = make("dt", "", kind);
      if (words !== null) term.title = words;
      const track = make("dd", "track");
      const bar = make("span", `bar ${logOdds > 0 ? "for" : "against"}`);
      bar.style.width = `${(50 * Math.abs(logOdds)) / most}%`;
      track.append(bar);
      bars.append(term, track, make("dd", "figure", signed(logOdds)));
    }
    return [heading, bars];
  }

  /** Whether its score would remove a fragment that its reason or a pattern keeps: neither is a verdict on it. */
  isSpared(index) {
    return !this.decided(index) && this.article.score[index] >= this.state.threshold;
  }

  /** The article with the reader's verdicts, as a labelled record; null where there are none. */
  record(every) {
    const { article } = this;
    const spans = [];
    for (let index = 0; index < this.count; index += 1) {
      const verdict = article.verdicts.get(index);
      if (verdict === undefined && (!every || !article.judged || this.isSpared(index))) continue;
      const label = verdict === undefined ? Number(this.decided(index)) : verdict;
      const span = { start: article.start[index], end: article.end[index], label };
      if (label === 1 && verdict === undefined) span.reason = this.reasonOf(index);
      spans.push(span);
    }
    if (!spans.length) return null;
    return { id: article.id, source: article.source, title: article.title, text: article.text, spans };
  }
}
