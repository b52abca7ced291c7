// Chart: curves over time with what the marker says shaded; zoom and pan by mouse, touch and keys.
import { make } from "/page/dom.js";
import { colour } from "/page/theme.js";
import uPlot from "/page/uplot/uPlot.esm.js";

const HEIGHT = 400;

/** Draw `curves` ([{label, values, colour, scale, unit}]) over `times` into a new element.
 *  `shaded`: {pulses, window, baseline} in seconds; `levels`: [{value, scale, colour}]. */
export function chart(times, curves, { shaded = {}, levels = [] } = {}) {
  const place = make("div", { class: "plot", tabindex: "0", role: "img", "aria-label": "Waveform over time. Arrow keys pan, plus and minus zoom, 0 shows all." });
  const readout = make("div", { class: "readout small quiet" }, "Drag to zoom; wheel, + and − zoom; arrows or Shift-drag pan; 0 shows all.");
  let plot = null;
  const draw = () => {
    const range = plot && [plot.scales.x.min, plot.scales.x.max];
    plot?.destroy();
    plot = new uPlot(options(place, curves, shaded, levels, readout), [times, ...curves.map((one) => one.values)], place);
    if (range) plot.setScale("x", { min: range[0], max: range[1] });
    place.chart = plot;
  };
  const span = [times[0], times.at(-1)];
  const go = (min, max) => plot.setScale("x", bounded(min, max, span));
  place.addEventListener("keydown", (event) => key(event, plot, go, span));
  place.addEventListener("wheel", (event) => wheel(event, plot, go), { passive: false });
  pointers(place, () => plot, go);
  const resize = new ResizeObserver(() => plot?.setSize({ width: place.clientWidth, height: height() }));
  addEventListener("theme", draw);
  return {
    element: make("div", {}, place, readout),
    place,
    draw: () => {
      draw();
      resize.observe(place);
    },
    zoom: (min, max) => go(min, max),
    all: () => go(...span),
    end: () => {
      removeEventListener("theme", draw);
      resize.disconnect();
      plot?.destroy();
    },
  };
}

const height = () => (innerWidth < 800 ? 300 : HEIGHT);

function options(place, curves, shaded, levels, readout) {
  const units = [...new Map(curves.map((one) => [one.scale, one])).values()];
  const axis = (one, number) => ({ ...style(), scale: one.scale, side: number ? 1 : 3, label: one.axis, labelSize: 22, size: 58, stroke: colour(curves.length > units.length ? "quiet" : one.colour), grid: number ? { show: false } : style().grid });
  return {
    width: place.clientWidth || 800,
    height: height(),
    scales: { x: { time: false } },
    cursor: { drag: { x: true, y: false }, points: { size: 7 }, focus: { prox: -1 } },
    axes: [{ ...style(), label: "time after the trigger / s", labelSize: 24 }, ...units.map(axis)],
    series: [{}, ...curves.map((one) => ({ label: one.label, scale: one.scale, stroke: colour(one.colour), alpha: one.alpha ?? 1, width: 1, points: { show: false } }))],
    hooks: {
      drawClear: [(plot) => shade(plot, shaded)],
      draw: [(plot) => lines(plot, shaded, levels)],
      setCursor: [(plot) => read(plot, curves, readout)],
    },
  };
}

function style() {
  const line = { stroke: colour("grid"), width: 1 };
  return { stroke: colour("quiet"), grid: line, ticks: line };
}

function shade(plot, { pulses = [], baseline = null }) {
  const { ctx, bbox } = plot;
  const fill = (start, end, name) => {
    const left = Math.max(plot.valToPos(start, "x", true), bbox.left);
    const right = Math.min(plot.valToPos(end, "x", true), bbox.left + bbox.width);
    if (right <= left) return;
    ctx.fillStyle = colour(name);
    ctx.fillRect(left, bbox.top, right - left, bbox.height);
  };
  ctx.save();
  for (const [start, end] of pulses) if (end >= plot.scales.x.min && start <= plot.scales.x.max) fill(start, end, "batch");
  if (baseline) fill(...baseline, "baseline");
  ctx.restore();
}

function lines(plot, { window: whole = null }, levels) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  if (whole) bracket(plot, whole);
  for (const level of levels) across(plot, level);
  ctx.restore();
}

/** The window from the first rising to the last falling edge: a line at its top with an end at each side. */
function bracket(plot, [start, end]) {
  const { ctx, bbox } = plot;
  const [left, right] = [start, end].map((one) => plot.valToPos(one, "x", true));
  const pixel = devicePixelRatio;
  ctx.strokeStyle = colour("window");
  ctx.lineWidth = 2 * pixel;
  ctx.beginPath();
  ctx.moveTo(left, bbox.top + 12 * pixel);
  ctx.lineTo(left, bbox.top + 3 * pixel);
  ctx.lineTo(right, bbox.top + 3 * pixel);
  ctx.lineTo(right, bbox.top + 12 * pixel);
  ctx.stroke();
}

function across(plot, { value, scale, colour: name }) {
  const { ctx, bbox } = plot;
  const y = plot.valToPos(value, scale, true);
  ctx.strokeStyle = colour(name);
  ctx.lineWidth = 1.5 * devicePixelRatio;
  ctx.setLineDash([7 * devicePixelRatio, 5 * devicePixelRatio]);
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
}

function read(plot, curves, readout) {
  const index = plot.cursor.idx;
  if (index === null || index === undefined || plot.cursor.left < 0) return;
  const values = curves.map((one, number) => `${one.label} ${plot.data[number + 1][index]?.toFixed(4) ?? "missing"} ${one.unit}`);
  readout.textContent = `sample ${index}, ${plot.data[0][index].toFixed(5)} s: ${values.join(", ")}`;
}

function bounded(min, max, [first, last]) {
  const width = Math.min(max - min, last - first);
  const start = Math.min(Math.max(min, first), last - width);
  return { min: start, max: start + width };
}

function key(event, plot, go, span) {
  const { min, max } = plot.scales.x;
  const width = max - min;
  const about = (factor) => go((min + max) / 2 - (factor * width) / 2, (min + max) / 2 + (factor * width) / 2);
  const moves = {
    ArrowLeft: () => go(min - width / 5, max - width / 5),
    ArrowRight: () => go(min + width / 5, max + width / 5),
    "+": () => about(0.5), "=": () => about(0.5), "-": () => about(2),
    0: () => go(...span), Home: () => go(span[0], span[0] + width), End: () => go(span[1] - width, span[1]),
  };
  if (!moves[event.key] || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  moves[event.key]();
}

function wheel(event, plot, go) {
  if (!event.target.closest(".u-over")) return;
  event.preventDefault();
  const { min, max } = plot.scales.x;
  const centre = plot.posToVal(event.clientX - plot.over.getBoundingClientRect().left, "x");
  const factor = event.deltaY < 0 ? 0.75 : 1 / 0.75;
  go(centre - (centre - min) * factor, centre + (max - centre) * factor);
}

/** Shift-drag pans; two fingers zoom and pan. One finger scrolls the page as it does elsewhere. */
function pointers(place, plot, go) {
  const down = (event) => {
    if (!event.shiftKey || event.button !== 0 || !event.target.closest(".u-over")) return;
    event.preventDefault();
    event.stopPropagation();
    const { min, max } = plot().scales.x;
    const perPixel = (max - min) / plot().over.clientWidth;
    const move = (next) => go(min - (next.clientX - event.clientX) * perPixel, max - (next.clientX - event.clientX) * perPixel);
    addEventListener("mousemove", move);
    addEventListener("mouseup", () => removeEventListener("mousemove", move), { once: true });
  };
  place.addEventListener("mousedown", down, true);
  let begin = null;
  const seen = (event) => {
    const left = plot().over.getBoundingClientRect().left;
    return [...event.touches].map((one) => one.clientX - left).sort((a, b) => a - b);
  };
  place.addEventListener("touchstart", (event) => {
    begin = event.touches.length === 2 ? seen(event).map((one) => plot().posToVal(one, "x")) : null;
  }, { passive: true });
  place.addEventListener("touchmove", (event) => {
    if (!begin || event.touches.length !== 2) return;
    event.preventDefault();
    const [left, right] = seen(event);
    const perPixel = (begin[1] - begin[0]) / Math.max(right - left, 10);
    go(begin[0] - left * perPixel, begin[0] + (plot().over.clientWidth - left) * perPixel);
  }, { passive: false });
}
