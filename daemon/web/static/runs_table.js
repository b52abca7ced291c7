// Runs table: runs, each with energy ± U95 and verdict.
import { part } from "/page/ask.js";
import { badge, make, table } from "/page/dom.js";
import { quantity, when } from "/page/quantity.js";

const HEADS = [["Run"], ["Verdict"], ["Network"], ["Batch", 1], ["Gross energy per image ± U95", 1], ["Net ± U95", 1], ["Board"], ["Requested (UTC)"]];

/** `choice`: {pick, picked} where runs can be picked; picked ones stay so when the table is made anew. */
export function runsTable(runs, choice = null) {
  if (!runs.length) return make("p", { class: "empty" }, "No run yet. The first one appears here as soon as a board asks for it.");
  return table(choice ? [["Pick"], ...HEADS] : HEADS, runs.map((run) => row(run, choice)), "runs");
}

function row(run, choice) {
  const result = run.result || {};
  const energy = (name, spread) => quantity(result[name], result[spread], "J");
  return make(
    "tr", { "data-run": run.run_id },
    choice ? make("td", { class: "pick" }, box(run, choice)) : null,
    make("td", { class: "id" }, make("a", { class: "mono", href: `#/runs/${part(run.run_id)}` }, run.run_id)),
    make("td", {}, badge(result.quality || run.state), reasons(run, result)),
    make("td", { "data-label": "network" }, run.network),
    make("td", { class: "number", "data-label": "batch" }, String(run.batch_size)),
    make("td", { class: "number", "data-label": "gross" }, energy("gross_energy_per_image_j", "gross_u95_j")),
    make("td", { class: "number", "data-label": "net" }, energy("net_energy_per_image_j", "net_u95_j")),
    make("td", { class: "wrap", "data-label": "board" }, run.board),
    make("td", { class: "nowrap quiet small" }, when(run.requested_utc_ns)),
  );
}

function box(run, { pick, picked }) {
  const made = make("input", { type: "checkbox", "aria-label": `Pick ${run.run_id}`, onchange: (event) => pick(run, event.target) });
  made.checked = picked.has(run.run_id);
  return made;
}

function reasons(run, result) {
  const told = result.reasons?.length ? result.reasons.join(", ") : run.reason;
  const kind = result.quality === "invalid" || run.state === "failed" || run.state === "rejected" ? "problem" : "quiet";
  return told ? make("div", { class: `small ${kind}` }, told.replaceAll("_", " ")) : null;
}
