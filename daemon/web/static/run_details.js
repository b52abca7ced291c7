// Details of a run: budget, how it was measured, files to keep, journal, and a capture's settings.
import { part } from "/page/ask.js";
import { budget } from "/page/budget.js";
import { badge, card, facts, make, table } from "/page/dom.js";
import { quantity, size, when } from "/page/quantity.js";

export function details(run, result) {
  return [
    ...(result ? [make("div", { class: "grid" }, card("Uncertainty budget", budget(result)), card("How it was measured", about(run, result)))] : []),
    ...(result || run.captures.length ? [card("Downloads", downloads(run, result))] : []),
    card("Journal", table([["At (UTC)"], ["Event"], ["State"], ["Text"]], run.steps.map(entry), "stacked")),
  ];
}

function about(run, result) {
  return facts([
    ["Images", `${result.images} in ${result.batches} batches`], ["Images per second", result.images_per_s?.toPrecision(4)],
    ["Energy inside batches", result.batch_energy_per_image_j && `${quantity(result.batch_energy_per_image_j.value, result.batch_energy_per_image_j.expanded_uncertainty_95, "J")} per image`],
    ["Synchronised by", result.sync], ["Certificates", certificates(run, result)], ["Software", result.software_version],
    ["Result", make("span", { class: "mono" }, result.result_id)], ["Computed (UTC)", when(result.at_utc_ns)],
    ["Results", run.results.length > 1 ? `${run.results.length}; the newest is shown` : null],
  ]);
}

function certificates(run, { certificate_ids: ids }) {
  if (run.steps.some((one) => one.event === "imported")) return "none: what was said of the instrument at its import stands";
  if (!ids?.length) return "none: the declared limits of the data sheets stand";
  return ids.map((id) => make("div", {}, make("a", { class: "mono", href: `#/calibration/${part(id)}` }, id)));
}

const FORMS = [["csv", "CSV"], ["npz", "NPZ"], ["raw", "raw codes (ZIP)"]];

function downloads(run, result) {
  const base = `/api/v1/runs/${part(run.run_id)}`;
  const link = (href, text) => make("a", { href, download: "" }, text);
  const rows = run.captures.map((one) => {
    const at = `${base}/captures/${one.capture_index}`;
    const links = one.kept ? [link(`${at}/file`, `Parquet (as kept, ${size(one.size_bytes)})`), ...FORMS.map(([form, text]) => link(`${at}/export?form=${form}`, text))] : [make("span", { class: "quiet" }, `not kept any more: ${one.removed_reason || "the file is gone"}`)];
    return make("li", {}, make("span", { class: "what" }, `capture ${one.capture_index}`), links);
  });
  if (result) rows.unshift(make("li", {}, make("span", { class: "what" }, "result"), link(`${base}/result.json`, "JSON")));
  return make("ul", { class: "downloads" }, rows);
}

function entry(one) {
  return make("tr", {}, make("td", { class: "nowrap" }, when(one.at_utc_ns)), make("td", {}, one.event), make("td", {}, one.state ? badge(one.state) : ""), make("td", {}, one.text || ""));
}

export function captureSettings(head) {
  const rows = Object.entries(head.settings).map(([name, value]) => make("tr", {}, make("td", { class: "mono" }, name), make("td", { class: "mono" }, String(value))));
  const instruments = Object.entries(head.instruments).map(([role, identity]) => [role.replaceAll("_", " "), make("span", { class: "mono" }, String(identity))]);
  return card("Settings of this capture", facts([...instruments, ["supply, under load", head.supply_voltage_v === null ? null : quantity(head.supply_voltage_v, null, "V")],
    ["sample rate", quantity(1 / head.recorded_interval_s, null, "Sa/s")]]),
    rows.length ? make("details", {}, make("summary", {}, `${rows.length} settings as read back`), table([["Setting"], ["Value"]], rows, "stacked")) : null);
}
