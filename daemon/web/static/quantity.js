// Quantities as people read them: a prefix that fits, and as many places as the uncertainty warrants.

const PREFIXES = [[1e3, "k"], [1, ""], [1e-3, "m"], [1e-6, "µ"], [1e-9, "n"], [1e-12, "p"]];

/** Value and U95 as `[text of the value, text of the spread, unit]`, both with the same prefix and places. */
export function parts(value, spread, unit) {
  if (value === null || value === undefined) return ["–", "", ""];
  const size = Math.max(Math.abs(value), spread || 0);
  const [factor, prefix] = PREFIXES.find(([one]) => size >= one) || (size === 0 ? [1, ""] : PREFIXES.at(-1));
  const places = decimals(value / factor, spread ? spread / factor : null);
  return [(value / factor).toFixed(places), spread ? (spread / factor).toFixed(places) : "", prefix + unit];
}

/** Two significant digits of the spread decide; four of the value where there is none. */
function decimals(value, spread) {
  const digit = spread ? Math.floor(Math.log10(spread)) - 1 : value === 0 ? 0 : Math.floor(Math.log10(Math.abs(value))) - 3;
  return Math.min(Math.max(-digit, 0), 6);
}

export function quantity(value, spread, unit) {
  const [number, around, full] = parts(value, spread, unit);
  return `${around ? `${number} ± ${around}` : number} ${full}`.trim();
}

/** A part of one as per cent, with its spread. */
export function percent(value, spread) {
  const places = decimals(100 * value, 100 * spread);
  return `${(100 * value).toFixed(places)} ± ${(100 * spread).toFixed(places)} %`;
}

export function when(utcNs) {
  return utcNs ? new Date(utcNs / 1e6).toISOString().replace("T", " ").slice(0, 19) : "–";
}

export function age(seconds) {
  const steps = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const [size, unit] = steps.find(([one]) => Math.abs(seconds) >= one) || [1, "s"];
  return `${Math.floor(Math.abs(seconds) / size)} ${unit}`;
}

export const size = (bytes) => (bytes >= 1e6 ? `${(bytes / 1e6).toFixed(1)} MB` : `${Math.ceil(bytes / 1e3)} kB`);
