// Text as it is: what is cut from it, its bytes, and how what cannot be seen is shown.

/** The spans that go, in UTF-16 units, from one truth value a fragment: as the filter cuts them. */
function cuts(article, gone) {
  const spans = [];
  const count = gone.length;
  for (let first = 0; first < count;) {
    let last = first;
    while (last < count && article.line[last] === article.line[first]) last += 1;
    cutLine(article, gone, first, last, spans);
    first = last;
  }
  return spans;
}

function cutLine(article, gone, first, last, spans) {
  let tail = last;
  while (tail > first && gone[tail - 1]) tail -= 1;
  if (tail === first) {
    const [start, , cut] = article.lines[article.line[first]];
    spans.push([start, cut]);
    return;
  }
  for (let index = first; index < last; index += 1) {
    if (!gone[index]) continue;
    if (index >= tail) spans.push([article.to[index - 1], article.to[index]]);
    else spans.push([article.from[index], article.from[index + 1]]);
  }
}

/** `text` less `spans`, which are in order and do not overlap. */
function without(text, spans) {
  const kept = [];
  let at = 0;
  for (const [start, end] of spans) {
    kept.push(text.slice(at, start));
    at = end;
  }
  kept.push(text.slice(at));
  return kept.join("");
}

/** UTF-8; a byte that was none comes as a lone surrogate U+DC80 to U+DCFF, and goes as that byte. */
function bytesOf(text) {
  const encoder = new TextEncoder();
  const parts = [];
  for (const piece of text.split(/(\p{Cs}+)/u)) {
    if (/^\p{Cs}/u.test(piece)) {
      for (let at = 0; at < piece.length; at += 1) {
        const unit = piece.charCodeAt(at);
        parts.push(unit >= 0xdc80 && unit <= 0xdcff ? Uint8Array.of(unit - 0xdc00) : encoder.encode("\ufffd"));
      }
    } else if (piece) {
      parts.push(encoder.encode(piece));
    }
  }
  return parts;
}

// Controls but tab and line ends, marks that change the direction of what follows, what takes no room, tags, halves of
// code points.
const ODD =
  /([\0-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]|\p{Cs})/u;

/** Put `text` into `parent`, with what would not be seen, or would turn the text around, as its number. */
function putText(parent, text) {
  for (const [at, piece] of text.split(ODD).entries()) {
    if (!piece) continue;
    if (at % 2 === 0) {
      parent.append(piece);
    } else {
      const code = piece.codePointAt(0);
      const isByte = code >= 0xdc80 && code <= 0xdcff;
      const shown = isByte ? code - 0xdc00 : code;
      const name = shown.toString(16).toUpperCase();
      parent.append(make("span", "odd", isByte ? `\\x${name}` : `U+${name.padStart(4, "0")}`));
    }
  }
}

/** An element with a class and text. */
function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

const byId = (id) => document.getElementById(id);
const percent = (share, digits = 1) => `${(100 * share).toFixed(digits)}%`;
/** A threshold with as many digits as it has, at least two. */
const exact = (value) => (Math.abs(value * 100 - Math.round(value * 100)) < 1e-9 ? value.toFixed(2) : String(value));
const number = (value) => value.toLocaleString("en");
const verdictsInWords = (count) => `${number(count)} verdict${count === 1 ? "" : "s"}`;
const signed = (value, digits = 2) => (value < 0 ? "\u2212" : "+") + Math.abs(value).toFixed(digits);
const probability = (logOdds) => 1 / (1 + Math.exp(-logOdds));
