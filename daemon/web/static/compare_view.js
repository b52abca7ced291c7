// Compare: two runs' waveforms over each other, what each came to, and whether the difference is real.
import { ask, part } from "/page/ask.js";
import { chart } from "/page/chart.js";
import { badge, card, make, problem, simulated, table } from "/page/dom.js";
import { percent, quantity } from "/page/quantity.js";
import { hasCurrent, waveform } from "/page/waveform.js";

const ROWS = [["Gross energy per image", "gross_energy_per_image_j", "J"], ["Net energy per image", "net_energy_per_image_j", "J"], ["Mean power", "mean_power_w", "W"], ["Idle power", "idle_power_w", "W"]];

export async function compareView(put, whenLeft, ...runIds) {
  const [first, second] = runIds.map(part);
  const [compared, ...runs] = await Promise.all([ask(`runs/${first}/compared-with/${second}`), ...runIds.map((one) => ask(`runs/${part(one)}`))]);
  const names = runs.map((run) => `${run.network}, batch ${run.batch_size}, ${run.precision}`);
  const over = make("section", { class: "card" }, make("h2", {}, "Waveforms"));
  put(make("h1", {}, "Two runs"), make("p", { class: "lead" }, names.join("   against   ")), ...origin(runs), verdict(compared), over, card("What they came to", comparison(runs), difference(compared)));
  await overlay(over, runs, names, whenLeft);
}

function origin(runs) {
  const computed = runs.filter((run) => run.simulated);
  if (!computed.length) return [];
  return [simulated(computed.length === runs.length ? "no real board was measured." : `${computed[0].run_id} measured no real board.`)];
}

function verdict(compared) {
  if (compared.problem) return make("section", { class: "card reasons degraded" }, make("h2", {}, "They cannot be compared"), make("p", {}, compared.problem));
  return make("section", { class: `card reasons ${compared.distinguishable ? "real" : ""}` }, make("h2", {}, compared.distinguishable ? "The difference is significant" : "No significant difference"),
    make("p", {}, compared.sentence), make("p", { class: "small quiet" }, "Errors that both runs share, such as a gain by the same certificate, cancel in the difference."));
}

async function overlay(place, runs, names, whenLeft) {
  const indexes = runs.map((run) => run.captures.find((one) => one.kept)?.capture_index);
  const without = runs.filter((_, number) => indexes[number] === undefined);
  if (without.length) {
    place.append(make("p", { class: "empty" }, `No capture is kept of ${without.map((run) => run.run_id).join(" and ")}: there is nothing to lay over each other.`));
    return;
  }
  const found = await Promise.all(runs.map((run, number) => waveform(run.run_id, indexes[number]))).catch((error) => error);
  if (!place.isConnected) return;
  if (found instanceof Error) {
    place.append(problem(found));
    return;
  }
  // Of energies alone there is no current to lay over another.
  const kind = found.every(({ head }) => hasCurrent(head)) ? "current" : "power";
  place.firstChild.textContent = `${kind === "power" ? "Power" : "Current"}, from each one's trigger`;
  if (found.some((one) => !one[kind])) {
    place.append(make("p", { class: "empty" }, "One has a current without a voltage, the other energy alone: they cannot be laid over each other."));
    return;
  }
  const unit = { current: "A", power: "W" }[kind];
  const { times, values } = onOneAxis(found, kind);
  const curves = values.map((one, number) => ({ label: `${number + 1}`, axis: `${kind} / ${unit}`, values: one, colour: number ? "second" : "current", scale: unit, unit, alpha: number ? 0.6 : 1 }));
  const isWhole = found.every(({ head }) => head.samples_a_block === 1);
  const drawn = chart(times, curves, { isWhole: () => isWhole, label: `${kind === "power" ? "Power" : "Current"} of two runs over each other` });
  const legend = make("div", { class: "legend" }, runs.map((run, number) => make("span", {}, make("i", { class: number ? "k-second" : "k-current" }), `${number + 1}: ${run.run_id} (${names[number]})`)));
  const tools = make("div", { class: "toolbar" }, make("button", { type: "button", onclick: () => drawn.all() }, "Whole record"));
  place.append(...[tools, drawn.element, legend, isWhole ? null : make("p", { class: "small quiet" }, "A long record is drawn by the least and the greatest of each few samples.")].filter(Boolean));
  drawn.draw();
  whenLeft(drawn.end);
}

/** Both captures on the times of both; where one has no sample at a time of the other it is left undefined. */
function onOneAxis([first, second], kind) {
  const [one, other] = [first.head, second.head];
  if (one.origin_s === other.origin_s && one.interval_s === other.interval_s && one.samples === other.samples) return { times: first.times, values: [first[kind], second[kind]] };
  const [times, a, b] = [[], [], []];
  for (let i = 0, j = 0; i < first.times.length || j < second.times.length;) {
    const [here, there] = [first.times[i] ?? Infinity, second.times[j] ?? Infinity];
    times.push(Math.min(here, there));
    a.push(here <= there ? first[kind][i++] : undefined);
    b.push(there <= here ? second[kind][j++] : undefined);
  }
  return { times, values: [a, b] };
}

/** Of the gross energy alone: only its budget is kept line by line, by which errors that both share can be told. */
function difference({ problem: why, difference_j: absolute, relative }) {
  if (why) return null;
  return make("p", {}, "Gross energy, 1 − 2: ", make("b", {}, `${quantity(absolute.value, absolute.expanded_uncertainty_95, "J")} (${percent(relative.value, relative.expanded_uncertainty_95)})`),
    make("span", { class: "small quiet" }, ". A difference is not told for net energy and powers: which of their errors both runs share is not kept, and the two ± together would be too wide."));
}

function comparison(runs) {
  const results = runs.map((run) => run.results[0] || {});
  const links = runs.map((run) => [make("a", { class: "mono", href: `#/runs/${part(run.run_id)}` }, run.run_id), 1]);
  const row = ([label, key, unit]) => make("tr", {}, make("th", { scope: "row" }, label), results.map((one, number) => cell(number, quantity(one[key]?.value, one[key]?.expanded_uncertainty_95, unit))));
  const cell = (number, content) => make("td", { class: "number", "data-label": `${number + 1}` }, content);
  const verdicts = make("tr", {}, make("th", { scope: "row" }, "Verdict"), results.map((one, number) => cell(number, badge(one.quality || runs[number].state))));
  return table([["± U95"], ...links], [...ROWS.map(row), verdicts], "pairs");
}
