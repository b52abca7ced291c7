// The page: which view is shown, the keys, the theme, and the sign that it is connected.
import { benchView } from "/page/bench_view.js";
import { calibrationView } from "/page/calibration_view.js";
import { compareView } from "/page/compare_view.js";
import { showConnection } from "/page/connection.js";
import { make, problem } from "/page/dom.js";
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

/** Ask for the view of the address. What was shown stays, and stays live, until the new one has something to show; one
 *  that was left before that never comes, however late the daemon answers it. */
async function show() {
  const turn = ++shown;
  const ends = [];
  let isLeft = false;
  const end = () => {
    isLeft = true;
    ends.splice(0).forEach((one) => one());
  };
  const whenLeft = (one) => (isLeft ? one() : ends.push(one));
  const put = (...children) => {
    if (turn !== shown) throw new Error("another view was asked for meanwhile");
    if (leave !== end) leave();
    leave = end;
    const place = make("div", {}, ...children);
    view.replaceChildren(place);
    view.removeAttribute("aria-busy");
    return place;
  };
  const hash = location.hash || "#/";
  mark(hash);
  view.setAttribute("aria-busy", "true");
  const [route, build] = ROUTES.find(([pattern]) => pattern.test(hash)) || [/^/, benchView];
  document.title = `${titleOf(hash)} · joulebench`;
  try {
    const names = (route.exec(hash) || []).slice(1).map(decodeURIComponent);
    await build(put, whenLeft, ...names);
  } catch (error) {
    if (turn !== shown) {
      if (leave !== end) end();
      return;
    }
    put(problem(error));
    whenLeft(listen((name) => name === "back" && show()));
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
