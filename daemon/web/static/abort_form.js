// Abort form: ends the run in hand, for whoever has the token; the browser does not keep it.
import { abort } from "/page/ask.js";
import { make } from "/page/dom.js";

let made = { runId: null, form: null };

/** The form of a run; the same one as long as that is in hand, so that what is typed stays. */
export function abortForm(runId) {
  if (made.runId !== runId) made = { runId, form: build(runId) };
  return made.form;
}

function build(runId) {
  const token = make("input", { type: "password", autocomplete: "off", id: "token", required: true });
  const why = make("input", { type: "text", id: "why", maxlength: "200", placeholder: "why (for the journal)", "aria-label": "Why, for the journal" });
  const said = make("p", { class: "small", role: "status" });
  const button = make("button", { type: "submit", class: "danger" }, "End run");
  const send = async (event) => {
    event.preventDefault();
    button.disabled = true;
    try {
      await abort(runId, token.value, why.value.trim() || "by the page");
      said.textContent = "It is being ended.";
    } catch (error) {
      said.textContent = error.message;
      button.disabled = false;
    }
    token.value = "";
  };
  const form = make("form", { class: "toolbar", onsubmit: send }, make("label", { for: "token" }, "Token"), token, why, button);
  return make("details", { class: "abort" }, make("summary", { class: "small" }, "End this run"), form, said);
}
