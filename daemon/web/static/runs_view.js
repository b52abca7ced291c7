// Runs: more of them, and two to compare.
import { ask, part } from "/page/ask.js";
import { card, make } from "/page/dom.js";
import { listen } from "/page/live.js";
import { runsTable } from "/page/runs_table.js";

export async function runsView(view, whenLeft) {
  const picked = new Set();
  const hint = make("span", { class: "quiet small" }, "Pick two runs to overlay their waveforms.");
  const button = make("button", { type: "button", disabled: true, onclick: () => {
    location.hash = `#/compare/${[...picked].map(part).join("/")}`;
  } }, "Compare");
  const pick = (run, box) => {
    if (box.checked) picked.add(run.run_id);
    else picked.delete(run.run_id);
    button.disabled = picked.size !== 2;
  };
  const list = make("div");
  const refresh = async () => {
    if (!picked.size) list.replaceChildren(runsTable(await ask("runs?limit=200"), pick));
  };
  await refresh();
  view.replaceChildren(make("h1", {}, "Runs"), card(null, make("div", { class: "toolbar" }, button, hint), list));
  whenLeft(listen((name, content) => {
    if (name === "result" || name === "dropped" || content.step === "begun" || content.step === "ended") refresh().catch(() => {});
  }));
}
