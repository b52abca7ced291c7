// In view: how long the visible stretch is, and mean, least, greatest and integral of each curve in it.
import { make } from "/page/dom.js";
import { quantity } from "/page/quantity.js";

const INTEGRALS = { A: ["charge", "C"], W: ["energy", "J"] };

export function inView(place, [times, ...all], curves, min, max, isWhole) {
  const first = lowerBound(times, min);
  const end = lowerBound(times, max + 1e-12);
  const rows = [["in view", `${quantity(max - min, null, "s")}${isWhole ? `, ${(end - first).toLocaleString("en")} samples` : ""}`]];
  curves.forEach((curve, number) => rows.push([curve.label, told(all[number], first, end, curve, isWhole ? max - min : null)]));
  place.replaceChildren(...rows.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]));
}

function told(values, first, end, { unit }, duration) {
  let [count, sum, least, greatest] = [0, 0, Infinity, -Infinity];
  for (let index = first; index < end; index += 1) {
    const value = values[index];
    if (value === null || value === undefined || Number.isNaN(value)) continue;
    count += 1;
    sum += value;
    if (value < least) least = value;
    if (value > greatest) greatest = value;
  }
  if (!count) return "no sample";
  const extremes = `${quantity(least, null, unit)} to ${quantity(greatest, null, unit)}`;
  if (duration === null) return `${extremes}; zoom in for the mean`;
  const [name, integral] = INTEGRALS[unit];
  return `mean ${quantity(sum / count, null, unit)}, ${extremes}, ${name} ${quantity((sum / count) * duration, null, integral)}`;
}

function lowerBound(values, wanted) {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
