// Compare: two runs' waveforms over each other, and what each came to.
import { ask, part } from "/page/ask.js";
import { chart } from "/page/chart.js";
import { badge, card, make, table } from "/page/dom.js";
import { quantity } from "/page/quantity.js";
import { waveform } from "/page/waveform.js";

const ROWS = [["Gross energy per image", "gross_energy_per_image_j", "J"], ["Net energy per image", "net_energy_per_image_j", "J"], ["Mean power", "mean_power_w", "W"], ["Idle power", "idle_power_w", "W"]];

export async function compareView(view, whenLeft, ...runIds) {
  const [runs, found] = await Promise.all([Promise.all(runIds.map((one) => ask(`runs/${part(one)}`))), Promise.all(runIds.map((one) => waveform(one, 0)))]);
  const names = runs.map((run) => `${run.network}, batch ${run.batch_size} (${run.run_id})`);
  const curves = onOneAxis(found).map((values, number) => ({ label: runIds[number], axis: "current / A", values, colour: number ? "second" : "current", scale: "A", unit: "A", alpha: number ? 0.6 : 1 }));
  const drawn = chart(found[0].times, curves);
  const legend = make("div", { class: "legend" }, names.map((name, number) => make("span", {}, make("i", { class: number ? "k-second" : "k-current" }), name)));
  view.replaceChildren(make("h1", {}, "Two runs"), make("p", { class: "lead" }, "The first capture of each, from its trigger."),
    card(null, drawn.element, legend), card("What they came to", comparison(runs)),
    make("p", { class: "small quiet" }, "Errors that both runs share cancel in their difference: joulebench compare says whether it is real."));
  drawn.draw();
  whenLeft(drawn.end);
}

/** The second capture on the first one's samples, each by its nearest in time; all of them where both agree. */
function onOneAxis([first, second]) {
  const { origin_s: origin, interval_s: interval, samples } = second.head;
  if (origin === first.head.origin_s && interval === first.head.interval_s && samples === first.head.samples) return [first.current, second.current];
  const nearest = Array.from(first.times, (time) => second.current[Math.round((time - origin) / interval)] ?? null);
  return [first.current, nearest];
}

function comparison(runs) {
  const results = runs.map((run) => run.results[0] || {});
  const row = ([label, key, unit]) => make("tr", {}, make("td", {}, label), results.map((one) => make("td", { class: "number" }, quantity(one[key]?.value, one[key]?.expanded_uncertainty_95, unit))));
  const verdicts = make("tr", {}, make("td", {}, "Verdict"), results.map((one, number) => make("td", { class: "number" }, badge(one.quality || runs[number].state))));
  return table([["± U95"], ...runs.map((run) => [run.run_id, 1])], [...ROWS.map(row), verdicts]);
}
