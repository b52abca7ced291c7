// A run's waveform: current and power of one capture, with marker, windows and baseline, to zoom into and to read.
import { chart } from "/page/chart.js";
import { detail } from "/page/detail.js";
import { make, problem } from "/page/dom.js";
import { isOver } from "/page/live.js";
import { quantity } from "/page/quantity.js";
import { hasCurrent, waveform } from "/page/waveform.js";

/** Draw the captures of a run into `place`; `told(head)` hears of each that is drawn. */
export async function showWaveform(place, run, result, whenLeft, told) {
  const kept = run.captures.filter((one) => one.kept);
  if (!kept.length) {
    place.append(make("p", { class: "empty" }, nothing(run)));
    return;
  }
  const tools = make("div", { class: "toolbar" });
  const picture = make("div", {}, make("p", { class: "quiet" }, "Reading the capture…"));
  const choose = kept.length > 1 ? chooser(kept, (index) => show(index)) : null;
  let drawn = null;
  let turn = 0;
  const show = async (index) => {
    const mine = ++turn;
    const found = await waveform(run.run_id, index).catch((error) => error);
    if (mine !== turn) return;
    drawn?.end();
    drawn = null;
    if (found instanceof Error) {
      tools.replaceChildren();
      picture.replaceChildren(problem(found));
      return;
    }
    drawn = drawOne(picture, tools, found, result, [run.run_id, index]);
    told(found.head);
  };
  whenLeft(() => {
    turn += 1;
    drawn?.end();
  });
  place.append(...[choose, tools, picture].filter(Boolean));
  await show(kept[0].capture_index);
}

function nothing(run) {
  if (run.captures.length) return `The files of its captures are not kept any more: ${run.captures[0].removed_reason || "they are not in the captures' folder"}. The results stand.`;
  return isOver(run.state) ? "No capture was taken." : "No capture was taken yet.";
}

function chooser(kept, show) {
  const select = make("select", { id: "capture", onchange: (event) => show(Number(event.target.value)) }, kept.map((one) => make("option", { value: one.capture_index }, `capture ${one.capture_index}`)));
  return make("div", { class: "toolbar" }, make("label", { for: "capture" }, "Capture"), select, make("span", { class: "quiet small" }, `${kept.length} are kept`));
}

function drawOne(picture, tools, found, result, [runId, index]) {
  const { head } = found;
  const level = (key, name) => (result?.[key] ? [{ value: result[key].value, scale: "W", colour: name }] : []);
  const levels = [...level("mean_power_w", "bad"), ...level("idle_power_w", "good")];
  const shaded = { pulses: head.pulses_s, window: head.window_s, baseline: head.baseline_s, high: head.marker ? head.marker_high_s : null };
  const isThinned = head.samples_a_block > 1;
  const kinds = [hasCurrent(head) && ["current", "Current"], found.power && ["power", "Power"], hasCurrent(head) && found.power && ["both", "Both"]].filter(Boolean);
  let [drawn, now, shown, whole] = [null, found, [], () => !isThinned];
  const values = () => shown.map((name) => now[name]);
  const more = isThinned ? detail(runId, index, found, (next, isWhole) => {
    [now, whole] = [next, isWhole];
    drawn?.replace([now.times, ...values()], whole);
  }) : null;
  const draw = (which) => {
    const view = drawn?.view();
    drawn?.end();
    shown = { current: ["current"], power: ["power"], both: ["current", "power"] }[which];
    const curves = shown.map((name, number) => ({ ...CURVES[name], values: values()[number] }));
    drawn = chart(now.times, curves, { shaded, levels: which === "current" ? [] : levels, isWhole: whole, onView: more && ((min, max) => more(min, max).catch(() => {})), since: head.recording ? "the file's first sample" : "the trigger", label: `Waveform of ${which === "both" ? "current and power" : which}` });
    picture.replaceChildren(drawn.element, legend(head, which, result), ...remarks(head, result));
    drawn.draw();
    if (view) drawn.zoom(...view);
    for (const one of tools.querySelectorAll("[data-which]")) one.setAttribute("aria-pressed", String(one.dataset.which === which));
  };
  const which = (name, text) => make("button", { type: "button", "data-which": name, onclick: () => draw(name) }, text);
  const zoom = (text, target) => target && make("button", { type: "button", onclick: () => drawn.zoom(...target) }, text);
  if (!kinds.length) {
    tools.replaceChildren();
    picture.replaceChildren(...remarks(head, result));
    return { end: () => {} };
  }
  tools.replaceChildren(...[...(kinds.length > 1 ? kinds.map(([name, text]) => which(name, text)) : []), make("span", { class: "gap" }),
    make("button", { type: "button", onclick: () => drawn.all() }, "Whole record"), zoom("Window", head.window_s && around(...head.window_s, 0.02)),
    zoom("First batches", firstBatches(head)), zoom("Baseline", head.baseline_s)].filter(Boolean));
  draw(kinds[0][0]);
  return { end: () => drawn?.end() };
}

const CURVES = {
  current: { label: "current", axis: "current / A", colour: "current", scale: "A", unit: "A" },
  power: { label: "power", axis: "power / W", colour: "power", scale: "W", unit: "W" },
};

const around = (start, end, part) => [start - part * (end - start), end + part * (end - start)];

function firstBatches({ pulses_s: pulses }) {
  return pulses.length ? around(pulses[0][0], pulses[Math.min(2, pulses.length - 1)][1], 0.15) : null;
}

function legend(head, which, result) {
  const key = (kind, text) => make("span", {}, make("i", { class: `k-${kind}` }), text);
  const batches = `${head.batches} whole ${head.batches === 1 ? "batch" : "batches"}`;
  return make("div", { class: "legend" }, [
    which !== "power" && key("current", "current, raw"), which !== "current" && key("power", hasCurrent(head) ? "supply voltage × current, raw" : "power: the energy of each sample over its interval"),
    head.batches > 0 && key("batch", head.placed_by ? `${batches}, placed by ${head.placed_by}` : `marker high: ${batches}`),
    head.window_s && key("window", "window of the gross energy"), head.marker && key("marker", "marker line"),
    head.baseline_s && key("baseline", "baseline"), which !== "current" && result?.mean_power_w && key("mean", "mean power of the result"),
    which !== "current" && result?.idle_power_w && key("idle", "idle power of the result"),
  ].filter(Boolean));
}

function remarks(head, result) {
  const rate = `${quantity(1 / head.recorded_interval_s, null, "Sa/s")}`;
  const count = head.recorded_samples.toLocaleString("en");
  const told = [head.samples_a_block > 1
    ? `${count} samples at ${rate}: of each ${head.samples_a_block} the least and the greatest are drawn; zoom in, and every sample is`
    : `${count} samples at ${rate}, none left out (where several share a pixel, its extremes are drawn)`];
  if (!head.recording) told.push("before any correction by certificates");
  if (head.placed_by) told.push(`edges of batches lie within ± ${quantity(head.edge_half_width_s, null, "s")}`);
  if (!hasCurrent(head)) told.push("energy alone was measured, no current: a current would need the voltage, which the file does not have");
  if (!head.power) told.push("no power: the capture does not say the supply's voltage");
  if (!head.marker) told.push("no marker line was recorded");
  if (head.recording) told.push(`from the ${head.recording.format} file ${head.recording.file} of ${head.recording.identity}${head.recording.samples_per_point > 1 ? `, each sample the mean of ${head.recording.samples_per_point} of the file` : ""}`);
  const warned = [];
  if (head.holes) warned.push(`${head.holes.toLocaleString("en")} ${head.holes === 1 ? "sample is" : "samples are"} missing: the line has gaps there.`);
  if (head.clipped) warned.push(`${head.clipped.toLocaleString("en")} ${head.clipped === 1 ? "sample is" : "samples are"} clipped: the true value lies beyond.`);
  if (head.placing_problem) warned.push(`The windows of the result (by ${result?.sync}) cannot be placed again: ${head.placing_problem}. What is shaded is the marker.`);
  return [make("p", { class: "small quiet" }, `${told.join("; ")}.`), warned.map((text) => make("p", { class: "small warned" }, text))].flat();
}
