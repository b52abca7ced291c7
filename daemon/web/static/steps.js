// Steps: where a run stands on its way.
import { make } from "/page/dom.js";

const WAY = ["accepted", "armed", "captured", "analysing", "done"];
/** Whether a run in that state is neither over nor judged. */
export const isUnderWay = (state) => WAY.slice(0, -1).includes(state);
const BROKEN = ["failed", "rejected", "interrupted"];

export function steps(state, past = []) {
  if (BROKEN.includes(state)) {
    const reached = WAY.filter((one) => past.includes(one));
    return list([...reached.map((one) => [one, "past"]), [state, "broken"]]);
  }
  const place = WAY.indexOf(state);
  return list(WAY.map((one, index) => [one, index < place || state === "done" ? "past" : index === place ? "now" : ""]));
}

function list(entries) {
  return make("ol", { class: "steps", "aria-label": "Steps of the run" }, entries.map(([text, kind]) =>
    make("li", { class: kind, "aria-current": kind === "now" ? "step" : null }, text)));
}
