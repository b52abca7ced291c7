// Runs table: the last runs, each with energy ± U95 and verdict.
import { part } from "/page/ask.js";
import { badge, make, table } from "/page/dom.js";
import { quantity, when } from "/page/quantity.js";

const HEADS = [["Run"], ["State"], ["Network"], ["Batch", 1], ["Gross energy per image ± U95", 1], ["Net", 1], ["Requested (UTC)"]];

export function runsTable(runs, pick = null) {
  if (!runs.length) return make("p", { class: "empty" }, "No run yet. The first one appears here as soon as a board asks for it.");
  return table(pick ? [["Pick"], ...HEADS] : HEADS, runs.map((run) => row(run, pick)), "runs");
}

function row(run, pick) {
  const result = run.result || {};
  const energy = (name, spread) => quantity(result[name], result[spread], "J");
  return make(
    "tr", { "data-run": run.run_id },
    pick ? make("td", {}, make("input", { type: "checkbox", "aria-label": `Pick ${run.run_id}`, onchange: (event) => pick(run, event.target) })) : null,
    make("td", {}, make("a", { class: "mono", href: `#/runs/${part(run.run_id)}` }, run.run_id)),
    make("td", {}, badge(result.quality || run.state), reasons(run, result)),
    make("td", { "data-label": "network" }, run.network),
    make("td", { class: "number", "data-label": "batch" }, String(run.batch_size)),
    make("td", { class: "number", "data-label": "gross" }, energy("gross_energy_per_image_j", "gross_u95_j")),
    make("td", { class: "number", "data-label": "net" }, energy("net_energy_per_image_j", "net_u95_j")),
    make("td", { class: "nowrap quiet small" }, when(run.requested_utc_ns)),
  );
}

function reasons(run, result) {
  const told = result.reasons?.length ? result.reasons.join(", ") : run.reason;
  return told ? make("div", { class: "small quiet" }, told.replaceAll("_", " ")) : null;
}
