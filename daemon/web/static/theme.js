// Light or dark: as the system has it, until somebody chooses; the choice is kept in this browser.

const KEY = "joulebench-theme";
const system = matchMedia("(prefers-color-scheme: dark)");
const root = document.documentElement;

function apply() {
  root.dataset.theme = localStorage.getItem(KEY) || (system.matches ? "dark" : "light");
  dispatchEvent(new Event("theme"));
}

export function keepTheme() {
  system.addEventListener("change", apply);
  apply();
}

export function nextTheme() {
  localStorage.setItem(KEY, root.dataset.theme === "dark" ? "light" : "dark");
  apply();
}

export const colour = (name) => getComputedStyle(root).getPropertyValue(`--${name}`).trim();
