// The fragments in two dimensions, on the axes that the page was given.

const SVG = "http://www.w3.org/2000/svg";
const MAP = { width: 320, height: 190, margin: 16 };

function shape(tag, attributes, text) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  if (text !== undefined) element.textContent = text;
  return element;
}

class MapView {
  constructor(view) {
    this.view = view;
    this.root = byId("map");
    this.circles = [];
    const map = view.article.map;
    byId("map-section").hidden = !map;
    this.root.replaceChildren();
    if (map) this.draw(map);
  }

  draw(map) {
    const all = map.title ? [...map.places, map.title] : map.places;
    const scale = [0, 1].map((axis) => {
      const values = all.map((place) => place[axis]);
      const low = Math.min(...values);
      const span = Math.max(...values) - low || 1;
      const length = (axis ? MAP.height : MAP.width) - 2 * MAP.margin;
      return (value) => MAP.margin + (length * (axis ? span - (value - low) : value - low)) / span;
    });
    const { article } = this.view;
    map.places.forEach((place, index) => {
      const circle = shape("circle", {
        cx: scale[0](place[0]).toFixed(1),
        cy: scale[1](place[1]).toFixed(1),
        r: 2.2 + 2.2 * map.size[index],
        class: `r${article.reason[index]}`,
      });
      circle.dataset.index = String(index);
      circle.append(shape("title", {}, article.text.slice(article.from[index], article.to[index]).slice(0, 120)));
      this.circles.push(circle);
    });
    this.root.append(...this.circles);
    if (map.title) this.drawTitle(scale[0](map.title[0]), scale[1](map.title[1]));
    byId("map-words").textContent =
      `Fragments on one topic lie together; these two axes hold ${percent(map.variance, 0)} of their differences.`;
  }

  drawTitle(x, y) {
    this.root.append(shape("path", { d: `M${x - 5} ${y}h10M${x} ${y - 5}v10` }));
    const left = x > MAP.width - 50;
    this.root.append(
      shape("text", { x: x + (left ? -8 : 8), y: y + 4, "text-anchor": left ? "end" : "start" }, "title"),
    );
  }

  mark() {
    const { article, gone, chosen } = this.view;
    this.circles.forEach((circle, index) => {
      circle.classList.toggle("gone", gone[index]);
      circle.classList.toggle("chosen", index === chosen);
    });
    // What is removed is drawn last, so that nothing covers it.
    const title = this.root.querySelector("path");
    for (const circle of this.circles) {
      const index = Number(circle.dataset.index);
      if (gone[index] || index === chosen) this.root.insertBefore(circle, title);
    }
    const out = gone.filter(Boolean).length;
    this.root.setAttribute("aria-label", `Map of ${article.score.length} fragments, ${out} of them removed`);
  }
}
