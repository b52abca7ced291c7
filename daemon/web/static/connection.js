// Connection: whether what is shown is as it is now, and what to do where it is not.
import { listen } from "/page/live.js";

let version = null;

export function showConnection() {
  const live = document.getElementById("live");
  const notice = document.getElementById("notice");
  const say = (state, text, long = "") => {
    live.dataset.state = state;
    live.textContent = text;
    notice.hidden = !long;
    notice.textContent = long;
  };
  listen((name, content) => {
    if (name === "open") say("on", "live");
    if (name === "lost" && live.dataset.state !== "off") {
      const since = new Date().toLocaleTimeString("en-GB");
      say("off", "not connected", `The daemon has not answered since ${since}. What is shown is from before; it is asked again all the time, and read anew once it is back.`);
    }
    if (name === "dropped") say("on", `live; ${content.count} events were dropped`);
    if (name === "bench") told(content, say);
  });
}

function told(bench, say) {
  document.getElementById("version").textContent = `joulebench ${bench.version}, bench ${bench.bench}`;
  version ??= bench.version;
  if (version !== bench.version) say("on", "live", `The daemon is now version ${bench.version}, and this page is of ${version}: load it again.`);
}
