// One run: its waveform, what it came to and how sure that is, and everything to check it by.
import { ask, part } from "/page/ask.js";
import { badge, card, make, simulated } from "/page/dom.js";
import { listen } from "/page/live.js";
import { parts } from "/page/quantity.js";
import { captureSettings, details } from "/page/run_details.js";
import { showWaveform } from "/page/run_waveform.js";
import { steps } from "/page/steps.js";

export async function runView(put, whenLeft, runId) {
  const clicked = performance.now();
  const run = await ask(`runs/${part(runId)}`);
  const result = run.results[0] || null;
  const place = card("Waveform");
  const settings = make("div");
  const view = put(...head(run, result), place);
  whenLeft(listen((name, content) => {
    const isOurs = content.run_id === runId && (name === "result" || !run.results.length);
    if (isOurs || (name === "back" && !run.results.length)) dispatchEvent(new Event("hashchange"));
  }));
  await showWaveform(place, run, result, whenLeft, (found) => settings.replaceChildren(captureSettings(found)));
  place.dataset.drawnMs = (performance.now() - clicked).toFixed(1);
  view.append(...details(run, result), settings);
}

function head(run, result) {
  const what = `${run.network}, batch ${run.batch_size}, ${run.precision}${run.backend ? ` by ${run.backend}` : ""}, on board ${run.board}`;
  const stopped = run.text || run.reason?.replaceAll("_", " ");
  return [
    make("h1", {}, run.run_id, " ", badge(result?.quality || run.state)),
    make("p", { class: "lead" }, what),
    run.simulated ? simulated("no real board was measured.") : null,
    result?.reasons?.length ? reasons(result) : null,
    result ? figures(result) : card(null, steps(run.state, run.steps.map((one) => one.state)), stopped ? make("p", { class: "problem" }, stopped) : null),
  ].filter(Boolean);
}

function reasons({ quality, reasons: found }) {
  return make("section", { class: `card reasons ${quality}` }, make("h2", {}, `Why it is ${quality}`),
    make("ul", {}, found.map((one) => make("li", {}, make("b", {}, one.code.replaceAll("_", " ")), `: ${one.text}`))));
}

function figures(result) {
  const shown = [
    ["Gross energy per image", "gross_energy_per_image_j", "J"], ["Net energy per image", "net_energy_per_image_j", "J"],
    ["Mean power", "mean_power_w", "W"], ["Idle power", "idle_power_w", "W"],
  ];
  const figure = ([label, key, unit]) => {
    const [value, spread, full] = parts(result[key]?.value, result[key]?.expanded_uncertainty_95, unit);
    return make("div", { class: "figure" }, make("div", { class: "label" }, label), make("div", { class: "value" }, `${value} ${full}`),
      make("div", { class: "spread" }, spread ? `± ${spread} ${full} (U95)` : "not measured"));
  };
  return make("div", { class: "figures" }, shown.map(figure));
}
