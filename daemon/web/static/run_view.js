// One run: its waveform, what it came to and how sure that is, and everything to check it by.
import { ask, part } from "/page/ask.js";
import { budget } from "/page/budget.js";
import { chart } from "/page/chart.js";
import { badge, card, facts, make, problem, table } from "/page/dom.js";
import { listen } from "/page/live.js";
import { parts, size, when } from "/page/quantity.js";
import { steps } from "/page/steps.js";
import { waveform } from "/page/waveform.js";

export async function runView(view, whenLeft, runId) {
  // Both at once: the picture is what somebody came for.
  const clicked = performance.now();
  const first = waveform(runId, 0).catch((error) => error);
  const run = await ask(`runs/${part(runId)}`);
  const result = run.results[0] || null;
  const place = card("Waveform");
  const below = make("div");
  view.replaceChildren(...head(run, result), place, below);
  await showWaveform(place, below, run, result, first, whenLeft, clicked);
  below.replaceChildren(...details(run, result), ...below.childNodes);
  whenLeft(listen((name, content) => {
    if (content.run_id === runId && (name === "result" || content.step === "captured" || content.step === "ended")) dispatchEvent(new Event("hashchange"));
  }));
}

function head(run, result) {
  const what = `${run.network}, batch ${run.batch_size}, ${run.precision}${run.backend ? ` by ${run.backend}` : ""}, on board ${run.board}`;
  return [
    make("h1", {}, run.run_id, " ", badge(result?.quality || run.state)),
    make("p", { class: "lead" }, what),
    ...(result?.reasons || []).map((one) => make("p", { class: "small" }, badge(one.code.replaceAll("_", " ")), " ", one.text)),
    result ? figures(result) : card(null, steps(run.state, run.steps.map((one) => one.state)), run.text ? make("p", { class: "problem" }, run.text) : null),
  ];
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

async function showWaveform(place, below, run, result, first, whenLeft, clicked) {
  const kept = run.captures.filter((one) => one.kept);
  if (!kept.length) {
    const why = run.captures.length ? `The captures' files are not kept any more: ${run.captures[0].removed_reason || "the files are not there"}.` : "No capture was taken yet.";
    place.append(make("p", { class: "empty" }, why));
    return;
  }
  const tools = make("div", { class: "toolbar" });
  const picture = make("div");
  const settings = card("Settings of this capture");
  let drawn = null;
  const show = async (index, ready) => {
    const found = await (ready || waveform(run.run_id, index).catch((error) => error));
    drawn?.end();
    drawn = null;
    if (found instanceof Error) {
      picture.replaceChildren(problem(found));
      return;
    }
    drawn = drawOne(picture, tools, found, result);
    settings.replaceChildren(make("h2", {}, "Settings of this capture"), ...settingsOf(found.head));
  };
  whenLeft(() => drawn?.end());
  place.append(tools, picture);
  below.append(settings);
  await show(kept[0].capture_index, kept[0].capture_index === 0 ? first : null);
  place.dataset.drawnMs = (performance.now() - clicked).toFixed(1);
  if (kept.length > 1) {
    const choose = make("select", { "aria-label": "Capture", onchange: (event) => show(Number(event.target.value)) },
      kept.map((one) => make("option", { value: one.capture_index }, `capture ${one.capture_index}`)));
    place.insertBefore(make("div", { class: "toolbar" }, choose), tools);
  }
}

function drawOne(picture, tools, found, result) {
  const { head } = found;
  const current = { label: "current", axis: "current / A", values: found.current, colour: "current", scale: "A", unit: "A" };
  const power = found.power && { label: "power", axis: "power / W", values: found.power, colour: "power", scale: "W", unit: "W" };
  const level = (key, name) => (result?.[key] ? [{ value: result[key].value, scale: "W", colour: name }] : []);
  const levels = [...level("mean_power_w", "bad"), ...level("idle_power_w", "good")];
  const shaded = { pulses: head.pulses_s, window: head.window_s, baseline: head.baseline_s };
  let drawn = null;
  const draw = (which) => {
    drawn?.end();
    const shows = { current: [current], power: [power], both: [current, power] }[which];
    drawn = chart(found.times, shows, { shaded, levels: which === "current" ? [] : levels });
    picture.replaceChildren(drawn.element, legend(head, which, result), remarks(head, result));
    drawn.draw();
    for (const one of tools.querySelectorAll("[data-which]")) one.setAttribute("aria-pressed", String(one.dataset.which === which));
  };
  const which = (name) => make("button", { type: "button", "data-which": name, onclick: () => draw(name) }, name);
  const zoom = (text, target) => target && make("button", { type: "button", onclick: () => drawn.zoom(...target) }, text);
  tools.replaceChildren(...[which("current"), ...(power ? [which("power"), which("both")] : []), make("span", { class: "gap" }),
    make("button", { type: "button", onclick: () => drawn.all() }, "whole record"), zoom("first batches", firstBatches(head)), zoom("baseline", head.baseline_s)].filter(Boolean));
  draw("current");
  return { end: () => drawn?.end() };
}

function firstBatches({ pulses_s: pulses }) {
  if (!pulses.length) return null;
  const [start, end] = [pulses[0][0], pulses[Math.min(2, pulses.length - 1)][1]];
  return [start - 0.15 * (end - start), end + 0.15 * (end - start)];
}

function legend(head, which, result) {
  const key = (kind, text) => make("span", {}, make("i", { class: `k-${kind}` }), text);
  return make("div", { class: "legend" }, [
    which !== "power" && key("current", "current, raw"), which !== "current" && key("power", "supply voltage × current, raw"),
    head.pulses_s.length > 0 && key("batch", `marker high: ${head.pulses_s.length} whole batches`), head.window_s && key("window", "window of the gross energy"),
    head.baseline_s && key("baseline", "baseline"), which !== "current" && result?.mean_power_w && key("mean", "mean power of the result"),
    which !== "current" && result?.idle_power_w && key("idle", "idle power of the result"),
  ].filter(Boolean));
}

function remarks(head, result) {
  const told = [`${head.samples.toLocaleString("en")} samples at ${(1e-3 / head.interval_s).toFixed(2)} kSa/s, none left out (where several share a pixel, its extremes are drawn); before any correction by certificates`];
  if (head.holes) told.push(`${head.holes} samples are missing`);
  if (head.clipped) told.push(`${head.clipped} samples are clipped`);
  if (!head.marker) told.push("no marker line was recorded");
  if (result && result.sync !== "marker") told.push(`the windows of the result were placed by ${result.sync}, and are not drawn; what is shaded is the marker`);
  return make("p", { class: "small quiet" }, `${told.join("; ")}.`);
}

function settingsOf(head) {
  const rows = (pairs) => Object.entries(pairs).map(([name, value]) => make("tr", {}, make("td", { class: "mono" }, name), make("td", { class: "mono" }, String(value))));
  return [facts(Object.entries(head.instruments).map(([role, identity]) => [role.replaceAll("_", " "), make("span", { class: "mono" }, String(identity))])),
    make("details", {}, make("summary", {}, `${Object.keys(head.settings).length} settings as read back`), table([["Setting"], ["Value"]], rows(head.settings)))];
}

function details(run, result) {
  const base = `/api/v1/runs/${part(run.run_id)}`;
  const link = (href, text) => make("li", {}, make("a", { href, download: "" }, text));
  const files = run.captures.filter((one) => one.kept).map((one) => link(`${base}/captures/${one.capture_index}/file`, `capture ${one.capture_index} (Parquet, ${size(one.size_bytes)})`));
  const certificates = result?.certificate_ids?.length ? result.certificate_ids.join(", ") : "none: the declared limits of the data sheets stand";
  const about = result && [
    ["Images", `${result.images} in ${result.batches} batches`], ["Images per second", result.images_per_s?.toPrecision(4)], ["Synchronised by", result.sync],
    ["Certificates", make("a", { href: "#/calibration" }, certificates)], ["Software", result.software_version], ["Result", make("span", { class: "mono" }, result.result_id)],
    ["Computed (UTC)", when(result.at_utc_ns)], ["Results", run.results.length > 1 ? `${run.results.length}; the newest is shown` : null],
  ];
  const journal = run.steps.map((one) => make("tr", {}, make("td", { class: "nowrap" }, when(one.at_utc_ns)), make("td", {}, one.event), make("td", {}, one.state ? badge(one.state) : ""), make("td", {}, one.text || "")));
  return [
    make("div", { class: "grid" }, card("Uncertainty budget", budget(result)), card("How it was measured", about ? facts(about) : make("p", { class: "empty" }, "There is no result yet."))),
    card("Downloads", make("ul", { class: "downloads" }, result ? link(`${base}/result.json`, "result (JSON)") : null, files)),
    card("Journal", table([["At (UTC)"], ["Event"], ["State"], ["Text"]], journal)),
  ];
}
