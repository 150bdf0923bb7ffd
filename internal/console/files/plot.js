// Lines over the last minutes, in SVG. What it looks like is in the style sheet.

import { element } from "./element.js";

const svgNS = "http://www.w3.org/2000/svg";
const longest = 10 * 60_000, shortest = 60_000; // ms shown: as many as there are, within these
const gap = 10_000; // longer without a point: nobody looked, and there is no line
const left = 44, right = 4, top = 8, bottom = 20; // px around the lines

export class Plot {
  #svg; #caption; #series; #format; #unit; #least; #values = [];
  #points = []; // { time, values }
  #pointed = null; // px, where a pointer is
  #due = false;

  // figure is filled with a plot of series, [{ label, hue }], under a title. format writes a value, unit is the base of
  // its round numbers (10, or 1024 for bytes), least what the axis reaches at the least.
  constructor(figure, title, series, { format, unit = 10, least = 1 }) {
    this.#series = series;
    this.#format = format;
    this.#unit = unit;
    this.#least = least;
    this.#caption = figure.appendChild(element("figcaption"));
    this.#caption.append(element("b", "", title));
    const legend = this.#caption.appendChild(element("span", "legend"));
    for (const { label, hue } of series) {
      const entry = legend.appendChild(element("span", `hue-${hue}`));
      const value = element("b", "", "–");
      entry.append(element("i"), label, value);
      this.#values.push(value);
    }
    this.#svg = figure.appendChild(document.createElementNS(svgNS, "svg"));
    this.#svg.setAttribute("role", "img");
    this.#svg.setAttribute("aria-label", `${title}, the last ten minutes`);
    new ResizeObserver(() => this.#redraw()).observe(this.#svg);
    this.#svg.addEventListener("pointermove", (e) => this.#point(e.offsetX));
    this.#svg.addEventListener("pointerleave", () => this.#point(null));
  }

  // add puts values, one for each series, at a time in ms.
  add(time, values) {
    this.#points.push({ time, values });
    while (this.#points[0].time < time - longest - gap) this.#points.shift();
    this.#redraw();
  }

  #point(x) {
    this.#pointed = x;
    this.#redraw();
  }

  #redraw() {
    if (this.#due) return;
    this.#due = true;
    requestAnimationFrame(() => {
      this.#due = false;
      this.#draw();
    });
  }

  #draw() {
    const width = this.#svg.clientWidth, height = this.#svg.clientHeight;
    if (!width || !this.#points.length) return;
    const now = this.#points.at(-1).time;
    const span = Math.min(longest, Math.max(shortest, now - this.#points[0].time));
    const most = Math.max(this.#least, ...this.#points.flatMap((p) => p.values.filter(Number.isFinite)));
    const ceiling = round(most, this.#unit);
    const x = (time) => left + (width - left - right) * (1 - (now - time) / span);
    const y = (value) => height - bottom - (height - top - bottom) * value / ceiling;
    const parts = [];
    for (const share of [0, 0.5, 1]) {
      const at = Math.round(y(ceiling * share)) + 0.5;
      parts.push(shape("line", { class: "grid", x1: left, x2: width - right, y1: at, y2: at }));
      parts.push(label(this.#format(ceiling * share), left - 8, at + 3.5, "end"));
    }
    parts.push(label(`${Math.round(span / 60_000)} min ago`, left, height - 4, "start"), label("now", width - right, height - 4, "end"));
    this.#series.forEach(({ hue }, i) => {
      const runs = this.#runs(i, x, y);
      const lines = runs.map((run) => "M" + run.map((p) => p.map((n) => n.toFixed(1)).join(" ")).join("L")).join("");
      if (this.#series.length === 1) {
        const areas = runs.map((run) => `M${run[0][0].toFixed(1)} ${y(0)}L` +
          run.map((p) => p.map((n) => n.toFixed(1)).join(" ")).join("L") + `L${run.at(-1)[0].toFixed(1)} ${y(0)}Z`).join("");
        parts.push(shape("path", { class: `area hue-${hue}`, d: areas }));
      }
      parts.push(shape("path", { class: `hue-${hue}`, d: lines }));
    });
    const shown = this.#shown(x);
    if (this.#pointed !== null) {
      parts.push(shape("line", { class: "at", x1: x(shown.time), x2: x(shown.time), y1: top, y2: height - bottom }));
    }
    this.#values.forEach((value, i) => { value.textContent = this.#format(shown.values[i]); });
    this.#svg.replaceChildren(...parts);
  }

  // shown is the point whose values the legend has: the last one, or the one that is pointed at.
  #shown(x) {
    if (this.#pointed === null) return this.#points.at(-1);
    return this.#points.reduce((a, b) => Math.abs(x(a.time) - this.#pointed) <= Math.abs(x(b.time) - this.#pointed) ? a : b);
  }

  // runs are the points of a series in pieces without a gap.
  #runs(i, x, y) {
    const runs = [];
    let before = -Infinity;
    for (const { time, values } of this.#points) {
      if (!Number.isFinite(values[i]) || x(time) < left) continue;
      if (time - before > gap) runs.push([]);
      runs.at(-1).push([x(time), y(values[i])]);
      before = time;
    }
    return runs.map((run) => run.length === 1 ? [run[0], run[0]] : run); // a dot
  }
}

// round is the next round number from n up: 1, 2, 4 or 5, 8 or 10 times a power.
function round(n, unit) {
  if (unit === 1024) return 2 ** Math.ceil(Math.log2(n));
  const power = 10 ** Math.floor(Math.log10(n));
  return [1, 2, 4, 6, 8, 10].find((k) => k * power >= n * 0.9999) * power;
}

function shape(name, attributes) {
  const e = document.createElementNS(svgNS, name);
  for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value);
  return e;
}

function label(text, x, y, anchor) {
  const e = shape("text", { x, y, "text-anchor": anchor });
  e.textContent = text;
  return e;
}
