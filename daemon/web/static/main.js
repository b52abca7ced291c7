// The page: which view is shown, the keys, the theme, and the sign that it is connected.
import { benchView } from "/page/bench_view.js";
import { calibrationView } from "/page/calibration_view.js";
import { compareView } from "/page/compare_view.js";
import { showConnection } from "/page/connection.js";
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
  [/^#\/calibration\/([^/]+)$/, calibrationView],
];

async function show() {
  leave();
  const turn = ++shown;
  const ends = [];
  leave = () => ends.splice(0).forEach((end) => end());
  const hash = location.hash || "#/";
  mark(hash);
  const [route, build] = ROUTES.find(([pattern]) => pattern.test(hash)) || [/^/, benchView];
  document.title = `${titleOf(hash)} · joulebench`;
  try {
    const names = (route.exec(hash) || []).slice(1).map(decodeURIComponent);
    await build(view, (end) => (turn === shown ? ends.push(end) : end()), ...names);
  } catch (error) {
    if (turn !== shown) return;
    view.replaceChildren(problem(error));
    ends.push(listen((name) => name === "back" && show()));
  }
}

function titleOf(hash) {
  const [place, name] = hash.slice(2).split("/").map(decodeURIComponent);
  return { runs: name || "Runs", compare: "Two runs", calibration: "Calibration" }[place] || "Bench";
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

const help = document.getElementById("help");
const PLACES = { b: "#/", r: "#/runs", c: "#/calibration" };
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
  if (event.key === "?") help.showModal();
  else if (event.key === "t") nextTheme();
  else if (event.key === "/") find(event);
  else if (PLACES[event.key]) location.hash = PLACES[event.key];
});

function find(event) {
  event.preventDefault();
  const filter = document.getElementById("filter");
  if (filter) filter.focus();
  else location.hash = "#/runs";
}

document.getElementById("theme").addEventListener("click", nextTheme);
document.getElementById("keys").addEventListener("click", () => help.showModal());
addEventListener("hashchange", show);
keepTheme();
showConnection();
show();
connect();
