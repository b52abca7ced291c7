// Budget: how much of the variance each term has, as bars, the largest first.
import { make } from "/page/dom.js";
import { quantity } from "/page/quantity.js";

export function budget(result) {
  const terms = [...(result?.budget || [])].sort((a, b) => b.share - a.share);
  if (!terms.length) return make("p", { class: "empty" }, "There is no budget: the energy was not measured.");
  return [
    make("div", { class: "budget" }, terms.map(bar)),
    make("p", { class: "small quiet" }, "Share of the variance of the gross energy per image, and standard uncertainty."),
  ];
}

function bar(term) {
  const filled = make("span");
  filled.style.width = `${Math.min(Math.max(100 * term.share, 0), 100)}%`;
  const track = make("div", { class: "track", title: `${term.quantity}; ${term.source}` }, filled);
  const percent = term.share < 0.001 ? "< 0.1 %" : `${(100 * term.share).toFixed(1)} %`;
  const share = `${percent}, ${quantity(term.standard_uncertainty_j, null, "J")}`;
  return [make("span", {}, term.term.replaceAll("_", " ")), make("span", { class: "share" }, share), track];
}
