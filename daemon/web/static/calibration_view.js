// Calibration: every certificate, what was found, and how long it still holds.
import { ask, part } from "/page/ask.js";
import { badge, card, facts, make, table } from "/page/dom.js";
import { age, quantity, when } from "/page/quantity.js";

const SOON_S = 7 * 86400;

export async function calibrationView(view) {
  const found = await ask("certificates");
  const none = make("p", { class: "empty" }, "There is no certificate yet: the declared limits of the data sheets stand. `joulebench calibrate` makes one.");
  view.replaceChildren(make("h1", {}, "Calibration"), make("p", { class: "lead" }, "The newest certificate of a kind that fits a run and holds is used for it."),
    ...(found.length ? [card("Certificates", table([["Certificate"], ["Kind"], ["Holds"], ["Age", 1], ["Until (UTC)"]], found.map(row))), ...found.map(certificate)] : [card(null, none)]));
}

function standing(one) {
  const now = Date.now() * 1e6;
  if (now >= one.valid_until_utc_ns) return "expired";
  return (one.valid_until_utc_ns - now) / 1e9 < SOON_S ? "expires soon" : "usable";
}

const ageOf = (one) => age((Date.now() * 1e6 - one.made_utc_ns) / 1e9);

function row(one) {
  return make("tr", {}, make("td", { class: "mono" }, one.certificate_id), make("td", {}, one.kind), make("td", {}, badge(standing(one))),
    make("td", { class: "number" }, ageOf(one)), make("td", { class: "nowrap" }, when(one.valid_until_utc_ns)));
}

function certificate(one) {
  const image = one.picture ? make("img", { src: `/api/v1/certificates/${part(one.certificate_id)}/picture`, alt: `Fit of ${one.certificate_id}`, loading: "lazy" }) : null;
  const { residuals } = one;
  const shown = [
    ...Object.entries(one).filter(([, value]) => value && typeof value === "object" && "standard_uncertainty" in value).map(([name, value]) => estimate(name, value)),
    ["Fit", residuals && `${residuals.points} points, χ² ${residuals.chi_squared.toFixed(2)} for ${residuals.degrees_of_freedom} degrees of freedom, p = ${residuals.p_value.toFixed(3)}`],
    ["Procedure", `${one.provenance.procedure}, by ${one.provenance.made_by}, software ${one.provenance.software_version}`],
    ["Made (UTC)", `${when(one.made_utc_ns)}, ${ageOf(one)} ago`],
    ["Note", one.provenance.note],
    ...Object.entries(one.conditions || {}).map(([name, value]) => [name.replaceAll("_", " "), String(value)]),
  ];
  return make("section", { class: "card certificate" }, make("h2", {}, `${one.certificate_id} `, badge(standing(one))), facts(shown), image);
}

const UNITS = { a: "A", s: "s", ohm: "Ω", v: "V" };

function estimate(name, value) {
  const words = name.split("_");
  const unit = UNITS[words.at(-1)] || "";
  const label = (unit ? words.slice(0, -1) : words).join(" ");
  return [label, `${unit ? quantity(value.value, value.standard_uncertainty, unit) : `${value.value.toPrecision(6)} ± ${value.standard_uncertainty.toPrecision(2)}`} (standard uncertainty)`];
}
