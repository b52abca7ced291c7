// Calibration: every certificate, what was found, and how long it still holds.
import { ask, part } from "/page/ask.js";
import { badge, card, facts, make, problem, table } from "/page/dom.js";
import { listen } from "/page/live.js";
import { age, quantity, when } from "/page/quantity.js";

const SOON_S = 7 * 86400;

export async function calibrationView(put, whenLeft, wanted = null) {
  const found = await ask("certificates");
  const none = make("p", { class: "empty" }, "There is no certificate yet: the declared limits of the data sheets stand. `joulebench calibrate` makes one.");
  put(make("h1", {}, "Calibration"), make("p", { class: "lead" }, "The newest certificate of a kind that fits a run and holds is used for it."),
    ...(found.length ? [card("Certificates", table([["Certificate"], ["Kind"], ["Holds"], ["Age", 1], ["Until (UTC)"]], found.map(row), "stacked")), ...found.map(certificate)] : [card(null, none)]));
  if (wanted) show(wanted);
  whenLeft(listen((name) => name === "back" && dispatchEvent(new Event("hashchange"))));
}

function show(wanted) {
  const place = document.getElementById(`certificate-${wanted}`);
  if (!place) return;
  place.classList.add("wanted");
  place.scrollIntoView();
}

function standing(one) {
  if (one.problem) return "unreadable";
  const now = Date.now() * 1e6;
  if (now >= one.valid_until_utc_ns) return "expired";
  return (one.valid_until_utc_ns - now) / 1e9 < SOON_S ? "expires soon" : "usable";
}

const ageOf = (one) => age((Date.now() * 1e6 - one.made_utc_ns) / 1e9);

function row(one) {
  return make("tr", {}, make("td", { class: "wrap" }, make("a", { class: "mono", href: `#/calibration/${part(one.certificate_id)}` }, one.certificate_id)), make("td", {}, one.kind || ""), make("td", {}, badge(standing(one))),
    make("td", { class: "number", "data-label": "age" }, one.problem ? "" : ageOf(one)), make("td", { class: "nowrap", "data-label": "until" }, one.problem ? "" : when(one.valid_until_utc_ns)));
}

function certificate(one) {
  const place = (...children) => make("section", { class: "card certificate", id: `certificate-${one.certificate_id}` }, make("h2", {}, `${one.certificate_id} `, badge(standing(one))), ...children);
  if (one.problem) return place(problem(new Error(one.problem)), make("p", {}, "No run is measured with certificates while it lies there: put the file back as it was, or move it out of the folder."));
  const image = one.picture ? make("img", { src: `/api/v1/certificates/${part(one.certificate_id)}/picture`, alt: `Points and fit of ${one.certificate_id}, with the residuals below` }) : null;
  const { residuals } = one;
  const shown = [
    ...Object.entries(one).filter(([, value]) => value && typeof value === "object" && "standard_uncertainty" in value).map(([name, value]) => estimate(name, value)),
    ["Fit", residuals && `${residuals.points} points, χ² ${residuals.chi_squared.toFixed(2)} for ${residuals.degrees_of_freedom} degrees of freedom, p = ${residuals.p_value.toFixed(3)}`],
    ["Procedure", `${one.provenance.procedure}, by ${one.provenance.made_by}, software ${one.provenance.software_version}`],
    ["Made (UTC)", `${when(one.made_utc_ns)}, ${ageOf(one)} ago`],
    ["Note", one.provenance.note],
    ...Object.entries(one.conditions || {}).map(([name, value]) => [CONDITIONS[name]?.[0] || name.replaceAll("_", " "), `${value} ${CONDITIONS[name]?.[1] || ""}`.trim()]),
  ];
  return place(...[facts(shown), image].filter(Boolean));
}

const CONDITIONS = { scale_a_per_div: ["scale", "A/div"], offset_a: ["offset", "A"], probe_range_v_per_a: ["probe range", "V/A"] };
const UNITS = { a: "A", s: "s", ohm: "Ω", v: "V" };

function estimate(name, value) {
  const words = name.split("_");
  const unit = UNITS[words.at(-1)] || "";
  const label = (unit ? words.slice(0, -1) : words).join(" ");
  return [label, `${unit ? quantity(value.value, value.standard_uncertainty, unit) : `${value.value.toPrecision(6)} ± ${value.standard_uncertainty.toPrecision(2)}`} (standard uncertainty)`];
}
