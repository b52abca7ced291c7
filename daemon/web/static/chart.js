// Chart: curves over time with windows and marker; what is in view can be zoomed, panned and read.
import { gestures } from "/page/chart_gestures.js";
import { marks, shades } from "/page/chart_marks.js";
import { inView } from "/page/in_view.js";
import { make } from "/page/dom.js";
import { colour } from "/page/theme.js";
import uPlot from "/page/uplot/uPlot.esm.js";

const HEIGHT = 420;
const HINT = "Drag to zoom, Shift-drag to pan; wheel, + and − zoom; arrows pan; 0 shows all. By touch: two fingers zoom, one pans.";

/** Draw `curves` ([{label, axis, values, colour, scale, unit}]) over `times` into a new element.
 *  `shaded`: {pulses, window, baseline, high} in seconds; `levels`: [{value, scale, colour}];
 *  `onView(min, max)`: told where the view came to rest; `isWhole(min, max)`: every sample of that stretch is there. */
export function chart(times, curves, { shaded = {}, levels = [], onView = null, isWhole = () => true, label = "Waveform over time", since = "the trigger" } = {}) {
  const place = make("div", { class: "plot", tabindex: "0", role: "group", "aria-label": `${label}. Arrow keys pan, plus and minus zoom, 0 shows all.` });
  const readout = make("p", { class: "readout small quiet" }, HINT);
  const summary = make("dl", { class: "inview small", "aria-live": "polite", "aria-label": "In view" });
  let data = [times, ...curves.map((one) => one.values)];
  let plot = null;
  let whole = isWhole;
  let resting = null;
  const span = [times[0], times.at(-1)];
  const rest = () => {
    clearTimeout(resting);
    resting = setTimeout(() => {
      const { min, max } = plot.scales.x;
      inView(summary, data, curves, min, max, whole(min, max));
      onView?.(min, max);
    }, 120);
  };
  const draw = () => {
    const range = plot && [plot.scales.x.min, plot.scales.x.max];
    plot?.destroy();
    plot = new uPlot(options(place, curves, { shaded, levels, since }, readout, rest), data, place);
    if (range) plot.setScale("x", { min: range[0], max: range[1] });
    place.chart = plot;
  };
  const go = (min, max) => plot.setScale("x", bounded(min, max, span));
  const forget = gestures(place, () => plot, go, span);
  const resize = new ResizeObserver(() => plot?.setSize({ width: place.clientWidth, height: height() }));
  addEventListener("theme", draw);
  return {
    element: make("div", {}, place, readout, summary),
    draw: () => {
      draw();
      resize.observe(place);
    },
    zoom: go,
    view: () => [plot.scales.x.min, plot.scales.x.max],
    all: () => go(...span),
    replace: (next, isNowWhole) => {
      data = next;
      whole = isNowWhole;
      const { min, max } = plot.scales.x;
      plot.setData(data, false);
      plot.setScale("x", { min, max });
      rest();
    },
    end: () => {
      clearTimeout(resting);
      removeEventListener("theme", draw);
      forget();
      resize.disconnect();
      plot?.destroy();
      plot = null;
    },
  };
}

const height = () => (innerWidth < 800 ? 320 : HEIGHT);

function options(place, curves, { shaded, levels, since }, readout, rest) {
  const units = [...new Map(curves.map((one) => [one.scale, one])).values()];
  const extent = {};
  const axis = (one, number) => ({ ...style(), values: labels, filter: units.length < 2 ? undefined : (_, splits) => splits.map((value) => (within(value, extent[one.scale]) ? value : null)), scale: one.scale, side: number ? 1 : 3, label: one.axis, labelSize: 22, size: 58, stroke: colour(curves.length > units.length ? "quiet" : one.colour), grid: number ? { show: false } : style().grid });
  // The lowest twelfth of the picture is the marker's lane.
  const room = shaded.high ? 0.16 : 0.06;
  // Two units have half of the picture each, the first the upper one: they would cover each other.
  const ranged = (number) => (plot, low, high, scale) => {
    extent[scale] = [low, high];
    if (low === null || low === undefined) return [0, 1];
    const size = high - low || Math.abs(high) || 1;
    const [below, above] = units.length < 2 ? [room, 0.1] : number ? [2 * room, 1.6] : [1.35, 0.2];
    return [low - below * size, high + above * size];
  };
  return {
    width: place.clientWidth || 800,
    height: height(),
    legend: { show: false },
    scales: { x: { time: false }, ...Object.fromEntries(units.map((one, number) => [one.scale, { range: ranged(number) }])) },
    cursor: { drag: { x: true, y: false }, points: { size: 7 }, focus: { prox: -1 } },
    axes: [{ ...style(), values: labels, space: 78, label: `time after ${since} / s`, labelSize: 24 }, ...units.map(axis)],
    series: [{}, ...curves.map((one) => ({ label: one.label, scale: one.scale, stroke: colour(one.colour), alpha: one.alpha ?? 1, width: 1, points: { show: false } }))],
    hooks: {
      drawClear: [(plot) => shades(plot, shaded)],
      draw: [(plot) => marks(plot, shaded, levels)],
      setCursor: [(plot) => read(plot, curves, readout)],
      setScale: [(_, key) => key === "x" && rest()],
    },
  };
}

function style() {
  const line = { stroke: colour("grid"), width: 1 };
  return { stroke: colour("quiet"), grid: line, ticks: line };
}

/** As many places as the step between marks has: 0.0025 needs four. */
function labels(plot, splits, axis, space, step) {
  let places = Math.min(Math.max(-Math.floor(Math.log10(step) + 1e-9), 0), 12);
  if (Math.abs(step * 10 ** places - Math.round(step * 10 ** places)) > 1e-6) places += 1;
  return splits.map((value) => (value === null ? "" : value.toFixed(places)));
}

/** A mark belongs to its own half of the picture. */
function within(value, [low, high]) {
  const margin = 0.12 * (high - low);
  return value >= low - margin && value <= high + margin;
}

function read(plot, curves, readout) {
  const index = plot.cursor.idx;
  if (index === null || index === undefined || plot.cursor.left < 0) {
    readout.textContent = HINT;
    return;
  }
  const values = curves.map((one, number) => `${one.label} ${plot.data[number + 1][index]?.toFixed(4) ?? "missing"} ${one.unit}`);
  readout.textContent = `at ${plot.data[0][index].toFixed(6)} s: ${values.join(", ")}`;
}

function bounded(min, max, [first, last]) {
  const width = Math.min(max - min, last - first);
  const start = Math.min(Math.max(min, first), last - width);
  return { min: start, max: start + width };
}
