// Campaign card: how far a campaign is, what failed, and how long it still takes.
import { part } from "/page/ask.js";
import { badge, card, make, problem, table } from "/page/dom.js";
import { age } from "/page/quantity.js";

export function campaignCard(one) {
  return card(`Campaign ${one.name}`, one.problem ? problem(new Error(one.problem)) : campaign(one));
}

function campaign({ name, runs, finished, remaining_s: left }) {
  const count = (...states) => runs.filter((run) => states.includes(run.state)).length;
  const share = (kind, ...states) => {
    const bar = make("span", { class: kind });
    bar.style.width = `${(100 * count(...states)) / Math.max(runs.length, 1)}%`;
    return bar;
  };
  const done = count("done");
  const broken = count("failed", "refused");
  const now = finished ? 0 : count("commanded");
  const rest = finished ? "; finished" : left === null ? "" : `; about ${age(left)} left`;
  return [
    make("div", { class: "bar", role: "progressbar", "aria-label": `Campaign ${name}`, "aria-valuemin": "0", "aria-valuemax": String(runs.length), "aria-valuenow": String(done) },
      share("done", "done"), share("commanded", "commanded"), share("failed", "failed", "refused")),
    make("p", { class: "small quiet" }, `${done} of ${runs.length} runs are done${broken ? `, ${broken} failed or were refused` : ""}${now ? `, ${now} in hand` : ""}${rest}`),
    make("details", {}, make("summary", { class: "small" }, "Each run"), table([["Network"], ["Batch", 1], ["Precision"], ["State"], ["Run"]], runs.map(row), "stacked")),
  ];
}

function row(run) {
  return make("tr", {}, make("td", {}, run.network), make("td", { class: "number", "data-label": "batch" }, String(run.batch_size)), make("td", {}, run.precision),
    make("td", {}, badge(run.quality || run.state)), make("td", { class: "wrap" }, run.run_id ? make("a", { class: "mono", href: `#/runs/${part(run.run_id)}` }, run.run_id) : ""));
}
