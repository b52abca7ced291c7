// Live: what happens on the bench, as it happens. A connection that breaks is made again, and everything read anew.

const AGAIN_MS = 2000;
const handlers = new Set();
let source = null;
let again = null;
let wasLost = false;

/** Tell `handler` of each event as (name, content); returns what ends that.
 *  `open`: connected; `lost`: not any more; `back`: connected again, so that what is shown is to be read anew. */
export function listen(handler) {
  handlers.add(handler);
  return () => handlers.delete(handler);
}

const ENDS = ["done", "failed", "rejected", "interrupted"];

/** Whether a run is over in that state. */
export const isOver = (state) => ENDS.includes(state);

/** Whether an event changes what a list of runs says. */
export const changesRuns = (name, content) => ["result", "dropped", "back"].includes(name) || (name === "run" && (content.step === "begun" || content.step === "ended" || isOver(content.state)));

const tell = (name, content) => [...handlers].forEach((handler) => handler(name, content));

export function connect() {
  clearTimeout(again);
  source?.close();
  source = new EventSource("/api/v1/events");
  source.onopen = () => {
    tell("open", {});
    if (wasLost) tell("back", {});
    wasLost = false;
  };
  source.onerror = () => {
    wasLost = true;
    tell("lost", {});
    // A refusal closes for good: ask again later, by hand.
    if (source.readyState === EventSource.CLOSED) again = setTimeout(connect, AGAIN_MS);
  };
  for (const name of ["bench", "campaigns", "run", "result", "dropped"]) {
    source.addEventListener(name, (event) => tell(name, JSON.parse(event.data)));
  }
}
