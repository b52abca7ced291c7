// The page: which view is shown, the keys, the theme, and the sign that it is connected.
import { benchView } from "/page/bench_view.js";
import { calibrationView } from "/page/calibration_view.js";
import { compareView } from "/page/compare_view.js";
import { problem } from "/page/dom.js";
import { connect, listen } from "/page/live.js";
import { runView } from "/page/run_view.js";
import { runsView } from "/page/runs_view.js";
import { keepTheme, nextTheme } from "/page/theme.js";

const view = document.getElementById("view");
let leave = () => {};
let shown = 0;

const ROUTES = [
  [/^#\/runs$/, runsView],
  [/^#\/runs\/([^/]+)$/, runView],
  [/^#\/compare\/([^/]+)\/([^/]+)$/, compareView],
  [/^#\/calibration$/, calibrationView],
];

async function show() {
  leave();
  const turn = ++shown;
  const ends = [];
  leave = () => ends.splice(0).forEach((end) => end());
  const hash = location.hash || "#/";
  mark(hash);
  const [route, build] = ROUTES.find(([pattern]) => pattern.test(hash)) || [/^/, benchView];
  try {
    const names = (route.exec(hash) || []).slice(1).map(decodeURIComponent);
    await build(view, (end) => (turn === shown ? ends.push(end) : end()), ...names);
  } catch (error) {
    if (turn === shown) view.replaceChildren(problem(error));
  }
}

function mark(hash) {
  const place = hash.startsWith("#/compare") ? "#/runs" : hash;
  for (const link of document.querySelectorAll("nav a")) {
    const target = link.getAttribute("href");
    const isHere = target === "#/" ? place === "#/" : place.startsWith(target);
    if (isHere) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

const live = document.getElementById("live");
const say = (state, text) => {
  live.dataset.state = state;
  live.textContent = text;
};
listen((name, content) => {
  if (name === "open") say("on", "live");
  if (name === "lost") say("off", "not connected, trying again");
  if (name === "dropped") say("on", `live; ${content.count} events were dropped`);
  if (name === "bench") document.getElementById("version").textContent = `joulebench ${content.version}, bench ${content.bench}`;
});

const PLACES = { b: "#/", r: "#/runs", c: "#/calibration" };
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
  if (event.key === "t") nextTheme();
  else if (PLACES[event.key]) location.hash = PLACES[event.key];
});
document.getElementById("theme").addEventListener("click", nextTheme);
addEventListener("hashchange", show);
keepTheme();
show();
connect();
