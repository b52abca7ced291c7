// Bench: what it is, what it does now, the last runs, and how far campaigns are.
import { abortForm } from "/page/abort_form.js";
import { ask, part } from "/page/ask.js";
import { campaignCard } from "/page/campaign_card.js";
import { badge, brief, card, facts, make, problem, simulated } from "/page/dom.js";
import { changesRuns, isOver, listen } from "/page/live.js";
import { newestOf } from "/page/newest.js";
import { runsTable } from "/page/runs_table.js";
import { isUnderWay, steps } from "/page/steps.js";

export async function benchView(put, whenLeft) {
  const origin = make("div");
  const state = make("section", { class: "card" });
  const told = make("div", { "aria-live": "polite" });
  const control = make("div");
  const hand = make("section", { class: "card", id: "hand" }, told, control);
  const runs = make("div", {}, make("p", { class: "quiet" }, "Reading the runs…"));
  const campaigns = make("div");
  let bench = await ask("bench");
  let step = null;
  const show = () => {
    if (bench.simulated !== null) origin.replaceChildren(...(bench.simulated ? [simulated("its instruments are computed, and no real board is measured.")] : []));
    showBench(state, bench);
    showHand(hand, told, bench, step, run);
    showControl(control, bench);
  };
  const again = newestOf(() => Promise.all([ask("runs?limit=20"), ask("campaigns")]), ([found, under]) => {
    runs.replaceChildren(runsTable(found));
    if (step) showStep(runs, step);
    const open = new Set([...campaigns.querySelectorAll("details[open]")].map((one) => one.parentElement.firstChild.textContent));
    campaigns.replaceChildren(...under.map(campaignCard));
    for (const one of campaigns.querySelectorAll("details")) one.open = open.has(one.parentElement.firstChild.textContent);
  }, (error) => runs.replaceChildren(problem(error)));
  let run = null;
  const read = newestOf((runId) => ask(`runs/${part(runId)}`), (found) => {
    run = found;
    if (step?.run_id !== run.run_id) step = { run_id: run.run_id, state: run.state };
    show();
  }, () => {}); // the list of runs says what is wrong
  const look = async (runId) => {
    if (runId && run?.run_id !== runId) await read(runId);
  };
  put(make("h1", {}, `Bench ${bench.bench}`), make("p", { class: "lead" }, "What it does now, and what it measured."),
    origin, make("div", { class: "grid" }, hand, state), campaigns, card("Last runs", runs));
  show();
  whenLeft(listen((name, content) => {
    if (name === "bench") bench = content;
    else if (name === "run") step = content;
    if (name === "run" || name === "bench") show();
    if (name === "run") {
      look(step.run_id);
      showStep(runs, step);
    }
    if (name === "campaigns" || changesRuns(name, content)) again();
  }));
  await Promise.all([again(), look(bench.run_in_hand)]);
}

/** The list says the same of the run in hand as its steps above; what it came to is read once it is over. */
function showStep(runs, { run_id: runId, state }) {
  const shown = runs.querySelector(`tr[data-run="${CSS.escape(runId)}"] .badge`);
  if (shown && isUnderWay(shown.textContent) && isUnderWay(state)) shown.replaceWith(badge(state));
}

function showBench(place, bench) {
  const instruments = Object.entries(bench.instruments).map(([role, identity]) => [role.replaceAll("_", " "), make("span", { class: "mono" }, String(identity))]);
  place.replaceChildren(
    make("h2", {}, "Instruments and checks ", badge(bench.state)),
    instruments.length ? facts(instruments) : make("p", { class: "empty" }, "No instrument has answered yet."),
    make("ul", { class: "checks small" }, bench.checks.map((one) =>
      make("li", { class: one.ok ? "" : "unmet" }, make("b", {}, one.name.replaceAll("_", " ")), ": ", one.ok ? brief(one.text) : one.text, one.remedy ? make("div", { class: "quiet" }, one.remedy) : null))),
  );
}

/** Only where it changes: what is typed must not go with the next step. */
function showControl(place, { run_in_hand: runId, control }) {
  const wanted = runId && control ? abortForm(runId) : null;
  if (place.firstChild !== wanted) place.replaceChildren(...[wanted].filter(Boolean));
}

function showHand(card, place, bench, step, run) {
  const runId = bench.run_in_hand || (step && !isOver(step.state) ? step.run_id : null);
  card.classList.toggle("running", runId !== null);
  const told = step && (step.run_id === runId || runId === null) ? step : null;
  const heading = make("h2", {}, runId ? "Run in hand" : told ? "Last run" : "No run in hand");
  if (!runId && !told) {
    place.replaceChildren(heading, make("p", { class: "empty" }, "The bench waits for a board. A run shows here the moment it is asked for."));
    return;
  }
  const shown = runId || told.run_id;
  place.replaceChildren(heading, make("a", { class: "mono", href: `#/runs/${part(shown)}`, "data-live-run": shown }, shown));
  if (run?.run_id === shown) place.append(make("p", { class: "small" }, `${run.network}, batch ${run.batch_size}, ${run.precision}${run.backend ? ` by ${run.backend}` : ""}, on board ${run.board}`));
  if (told) {
    place.append(steps(told.state));
    if (told.captures_planned) place.append(make("p", { class: "small quiet" }, `${told.captures_taken} of ${told.captures_planned} ${told.captures_planned === 1 ? "capture" : "captures"} taken`));
    if (told.reason) place.append(make("p", { class: "problem small" }, `${told.reason.replaceAll("_", " ")}: ${told.text || ""}`));
  }
}
