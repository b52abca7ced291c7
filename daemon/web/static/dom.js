// Elements, made from values: text always goes in as text, so that nothing a board says can become markup.

export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return element;
}

export function card(title, ...children) {
  return make("section", { class: "card" }, title === null ? null : make("h2", {}, title), ...children);
}

export function facts(pairs) {
  const shown = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return make("dl", { class: "facts" }, shown.map(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]));
}

export function table(heads, rows, kind = "") {
  const head = heads.map(([text, number]) => make("th", { class: number ? "number" : "", scope: "col" }, text));
  const body = make("tbody", {}, rows);
  return make("div", { class: "scroll" }, make("table", { class: kind }, make("thead", {}, make("tr", {}, head)), body));
}

const DEEP = /((?:\/+[^\s/;,]+){3,})/;

/** Text with the last two parts of each deep path in it; the pointer over it tells the whole. */
export function brief(text) {
  return text.split(DEEP).map((piece, number) => (number % 2 ? make("span", { title: piece }, `…/${piece.split("/").slice(-2).join("/")}`) : piece));
}

const TONES = {
  valid: "good", done: "good", free: "good", usable: "good",
  degraded: "warn", recovering: "warn", interrupted: "warn", expired: "bad", unreadable: "bad", "expires soon": "warn",
  invalid: "bad", failed: "bad", rejected: "bad", refused: "bad", closed: "bad",
};

export function badge(text) {
  return make("span", { class: `badge ${TONES[text] || ""}` }, text);
}

/** Said where a capture, or the bench's oscilloscope, tells that no real board draws the current. */
export function simulated(text) {
  return make("p", { class: "simulated", role: "note" }, make("b", {}, "Simulated bench: "), text);
}

export function problem(error) {
  return make("p", { class: "problem", role: "alert" }, error.message || String(error));
}
