// Bench: what it is, what it does now, the last runs, and how far campaigns are.
import { abort, ask, part } from "/page/ask.js";
import { badge, card, facts, make, problem } from "/page/dom.js";
import { listen } from "/page/live.js";
import { age } from "/page/quantity.js";
import { runsTable } from "/page/runs_table.js";
import { steps } from "/page/steps.js";

export async function benchView(view, whenLeft) {
  const state = make("section", { class: "card" });
  const hand = make("section", { class: "card", "aria-live": "polite", id: "hand" });
  const runs = make("div");
  const campaigns = make("div");
  let bench = await ask("bench");
  let step = null;
  const show = () => {
    showBench(state, bench);
    showHand(hand, bench, step);
  };
  const read = async () => {
    const [found, under] = await Promise.all([ask("runs?limit=20"), ask("campaigns")]);
    runs.replaceChildren(runsTable(found));
    campaigns.replaceChildren(...campaignCards(under));
  };
  show();
  view.replaceChildren(make("h1", {}, `Bench ${bench.bench}`), make("p", { class: "lead" }, "What it does now, and what it measured."),
    make("div", { class: "grid" }, hand, state), campaigns, card("Last runs", runs));
  const again = () => read().catch((error) => runs.replaceChildren(problem(error)));
  whenLeft(listen((name, content) => {
    if (name === "bench") bench = content;
    else if (name === "run") step = content;
    if (name === "run" || name === "bench") show();
    if (name !== "bench" && name !== "lost") again();
  }));
  await again();
}

function showBench(place, bench) {
  const instruments = Object.entries(bench.instruments).map(([role, identity]) => [role.replaceAll("_", " "), make("span", { class: "mono" }, String(identity))]);
  place.replaceChildren(
    make("h2", {}, "Instruments and checks ", badge(bench.state)),
    instruments.length ? facts(instruments) : make("p", { class: "empty" }, "No instrument has answered yet."),
    make("ul", { class: "checks small" }, bench.checks.map((one) =>
      make("li", { class: one.ok ? "" : "unmet" }, make("b", {}, one.name.replaceAll("_", " ")), `: ${one.text}`, one.remedy ? make("div", { class: "quiet" }, one.remedy) : null))),
  );
}

const ENDS = ["done", "failed", "rejected", "interrupted"];

function showHand(place, bench, step) {
  const runId = bench.run_in_hand || (step && !ENDS.includes(step.state) ? step.run_id : null);
  place.classList.toggle("running", runId !== null);
  const told = step && (step.run_id === runId || runId === null) ? step : null;
  const heading = make("h2", {}, runId ? "Run in hand" : told ? "Last run" : "No run in hand");
  if (!runId && !told) {
    place.replaceChildren(heading, make("p", { class: "empty" }, "The bench waits for a board. A run shows here the moment it is asked for."));
    return;
  }
  const shown = runId || told.run_id;
  place.replaceChildren(heading, make("a", { class: "mono", href: `#/runs/${part(shown)}`, "data-live-run": shown }, shown));
  if (told) {
    place.append(steps(told.state));
    if (told.captures_planned) place.append(make("p", { class: "small quiet" }, `${told.captures_taken} of ${told.captures_planned} captures are taken`));
    if (told.reason) place.append(make("p", { class: "problem small" }, `${told.reason.replaceAll("_", " ")}: ${told.text || ""}`));
  }
  if (runId && bench.control) place.append(abortForm(runId));
}

function abortForm(runId) {
  const token = make("input", { type: "password", autocomplete: "off", placeholder: "token", "aria-label": "Token of control", required: true });
  const said = make("span", { class: "small", role: "status" });
  const send = async () => {
    try {
      await abort(runId, token.value, "by the page");
      said.textContent = "It is being ended.";
    } catch (error) {
      said.textContent = error.message;
    }
  };
  return make("details", {}, make("summary", { class: "small" }, "End this run"),
    make("div", { class: "toolbar" }, token, make("button", { type: "button", class: "danger", onclick: send }, "End run"), said));
}

function campaignCards(found) {
  return found.map((one) => card(`Campaign ${one.name}`, one.problem ? problem(new Error(one.problem)) : campaign(one)));
}

function campaign({ runs, finished, remaining_s: left }) {
  const count = (state) => runs.filter((run) => run.state === state).length;
  const share = (state, kind) => {
    const bar = make("span", { class: kind });
    bar.style.width = `${(100 * count(state)) / Math.max(runs.length, 1)}%`;
    return bar;
  };
  const rest = finished ? "; finished" : left === null ? "" : `; about ${age(left)} left`;
  const broken = count("failed") + count("refused");
  return [
    make("div", { class: "bar" }, share("done", "done"), share("commanded", "commanded"), share("failed", "failed"), share("refused", "failed")),
    make("p", { class: "small quiet" }, `${count("done")} of ${runs.length} runs are done${broken ? `, ${broken} failed or were refused` : ""}${rest}`),
  ];
}
