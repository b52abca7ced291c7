// Runs: all of them, some at a time, to find one, or two to compare.
import { ask, part } from "/page/ask.js";
import { card, make, problem } from "/page/dom.js";
import { changesRuns, listen } from "/page/live.js";
import { newestOf } from "/page/newest.js";
import { runsTable } from "/page/runs_table.js";

const STEP = 100;

export async function runsView(put, whenLeft) {
  const picked = new Set();
  let [runs, asked, isAll] = [[], STEP, false];
  const list = make("div");
  const said = make("span", { class: "quiet small", role: "status" });
  const compare = make("button", { type: "button", disabled: true, onclick: () => {
    location.hash = `#/compare/${[...picked].map(part).join("/")}`;
  } }, "Compare the two picked");
  const filter = make("input", { type: "search", id: "filter", "aria-label": "Filter runs", placeholder: "filter: network, verdict, board…", oninput: () => show() });
  const older = make("button", { type: "button", onclick: () => {
    asked += STEP;
    again();
  } }, "Show older ones");
  const pick = (run, box) => {
    if (box.checked) picked.add(run.run_id);
    else picked.delete(run.run_id);
    compare.disabled = picked.size !== 2;
  };
  const show = () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const fitting = runs.filter((run) => words.every((word) => textOf(run).includes(word)));
    if (fitting.length || !words.length) list.replaceChildren(runsTable(fitting, { pick, picked }));
    else list.replaceChildren(make("p", { class: "empty" }, "None of the runs that are shown fits the filter."));
    said.textContent = `${words.length ? `${fitting.length} of ` : ""}${runs.length} ${isAll ? "runs, all there are" : "newest runs"}`;
    older.hidden = isAll;
  };
  const read = async () => {
    const [found, wanted] = [[], asked];
    let isEnd = false;
    do {
      const some = await ask(`runs?limit=${Math.min(wanted - found.length, STEP)}&offset=${found.length}`);
      found.push(...some);
      isEnd = some.length < STEP;
    } while (!isEnd && found.length < wanted);
    return [[...new Map(found.map((run) => [run.run_id, run])).values()], isEnd];
  };
  const take = (found) => {
    [runs, isAll] = found;
    show();
  };
  const again = newestOf(read, take, (error) => said.replaceChildren(problem(error)));
  take(await read());
  put(make("h1", {}, "Runs"), card(null, make("div", { class: "toolbar" }, filter, compare, make("span", { class: "gap" }), said), list, make("div", { class: "toolbar" }, older)));
  whenLeft(listen((name, content) => {
    if (changesRuns(name, content)) again();
  }));
}

function textOf(run) {
  const told = [run.run_id, run.network, `batch ${run.batch_size}`, run.precision, run.backend, run.board, run.state, run.reason, run.result?.quality, ...(run.result?.reasons || [])];
  return told.filter(Boolean).join(" ").replaceAll("_", " ").toLowerCase();
}
