// Gestures of a chart: keys, wheel, mouse and fingers, each as a new view on the time axis.

/** Listen on `place`; `plot()` is the chart as it is now, `go(min, max)` shows a stretch. Returns what ends that. */
export function gestures(place, plot, go, span) {
  const ends = new AbortController();
  const on = (name, handler, options = {}) => place.addEventListener(name, handler, { ...options, signal: ends.signal });
  on("keydown", (event) => key(event, plot(), go, span));
  on("wheel", (event) => wheel(event, plot(), go), { passive: false });
  on("mousedown", (event) => pan(event, plot(), go), { capture: true });
  fingers(on, plot, go);
  return () => ends.abort();
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
  if (!moves[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
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

/** Shift-drag pans. */
function pan(event, plot, go) {
  if (!event.shiftKey || event.button !== 0 || !event.target.closest(".u-over")) return;
  event.preventDefault();
  event.stopPropagation();
  const { min, max } = plot.scales.x;
  const perPixel = (max - min) / plot.over.clientWidth;
  const move = (next) => go(min - (next.clientX - event.clientX) * perPixel, max - (next.clientX - event.clientX) * perPixel);
  addEventListener("mousemove", move);
  addEventListener("mouseup", () => removeEventListener("mousemove", move), { once: true });
}

/** Two fingers hold what lies under them: they zoom and pan. One finger pans; up and down scrolls the page. */
function fingers(on, plot, go) {
  let held = null;
  const seen = (event) => {
    const { left } = plot().over.getBoundingClientRect();
    return [...event.touches].map((one) => one.clientX - left).sort((a, b) => a - b);
  };
  const hold = (event) => {
    const places = event.target.closest(".u-over") ? seen(event) : [];
    const { min, max } = plot().scales.x;
    held = places.length ? { times: places.map((one) => plot().posToVal(one, "x")), perPixel: (max - min) / plot().over.clientWidth } : null;
  };
  on("touchstart", hold, { passive: true });
  on("touchend", hold, { passive: true });
  on("touchcancel", () => { held = null; });
  on("touchmove", (event) => {
    const places = seen(event);
    if (!held || held.times.length !== places.length || places.length > 2) return;
    if (event.cancelable) event.preventDefault();
    const perPixel = places.length === 2 ? (held.times[1] - held.times[0]) / Math.max(places[1] - places[0], 10) : held.perPixel;
    const start = held.times[0] - places[0] * perPixel;
    go(start, start + plot().over.clientWidth * perPixel);
  }, { passive: false });
}
