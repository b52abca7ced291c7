// Live: what happens on the bench, as it happens. A connection that breaks is made again, and everything read anew.

const handlers = new Set();
let source = null;
let again = null;

/** Tell `handler` of each event as (name, content); returns what ends that. */
export function listen(handler) {
  handlers.add(handler);
  return () => handlers.delete(handler);
}

const tell = (name, content) => handlers.forEach((handler) => handler(name, content));

export function connect() {
  clearTimeout(again);
  source?.close();
  source = new EventSource("/api/v1/events");
  source.onopen = () => tell("open", {});
  source.onerror = () => {
    tell("lost", {});
    // A refusal closes for good: ask again later, by hand.
    if (source.readyState === EventSource.CLOSED) again = setTimeout(connect, 3000);
  };
  for (const name of ["bench", "run", "result", "dropped"]) {
    source.addEventListener(name, (event) => tell(name, JSON.parse(event.data)));
  }
}
