// Marks of a chart: windows of batches and baseline behind the curves; bracket, levels and marker line before them.
import { colour } from "/page/theme.js";

/** Visible stretches as pixels [left, right]; neighbours closer than a pixel are one, so that none is painted twice. */
function* pixels(plot, stretches) {
  const { bbox } = plot;
  const { min, max } = plot.scales.x;
  const first = bbox.left;
  const last = bbox.left + bbox.width;
  let held = null;
  for (const [start, end] of stretches) {
    if (end < min || start > max) continue;
    const left = Math.max(plot.valToPos(start, "x", true), first);
    const right = Math.min(plot.valToPos(end, "x", true), last);
    if (held && left - held[1] < 1) held[1] = Math.max(right, held[1]);
    else {
      if (held) yield held;
      held = [left, right];
    }
  }
  if (held) yield held;
}

export function shades(plot, { pulses = [], baseline = null }) {
  const { ctx, bbox } = plot;
  ctx.save();
  const fill = (stretches, name) => {
    ctx.fillStyle = colour(name);
    for (const [left, right] of pixels(plot, stretches)) ctx.fillRect(left, bbox.top, Math.max(right - left, 1), bbox.height);
  };
  fill(pulses, "batch");
  if (baseline) fill([baseline], "baseline");
  ctx.restore();
}

export function marks(plot, { window: whole = null, high = null }, levels) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  if (whole) bracket(plot, whole);
  if (high) lane(plot, high);
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

/** The marker as an oscilloscope shows a digital line: low or high, along the bottom. */
function lane(plot, high) {
  const { ctx, bbox } = plot;
  const pixel = devicePixelRatio;
  const low = bbox.top + bbox.height - 3 * pixel;
  const top = low - 13 * pixel;
  ctx.strokeStyle = colour("marker");
  ctx.fillStyle = colour("marker");
  ctx.lineWidth = 1.5 * pixel;
  ctx.beginPath();
  ctx.moveTo(bbox.left, low);
  for (const [left, right] of pixels(plot, high)) {
    ctx.lineTo(left, low);
    ctx.lineTo(left, top);
    ctx.lineTo(right, top);
    ctx.lineTo(right, low);
  }
  ctx.lineTo(bbox.left + bbox.width, low);
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
