// Questions to the daemon, each answered or refused with its reason in words.

const api = (path) => `/api/v1/${path}`;
export const part = encodeURIComponent;

export async function ask(path) {
  return (await answered(api(path))).json();
}

export async function askBytes(path) {
  return (await answered(api(path))).arrayBuffer();
}

export async function abort(runId, token, text) {
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
  await answered(api(`runs/${part(runId)}/abort`), { method: "POST", headers, body: JSON.stringify({ text }) });
}

async function answered(path, options = {}) {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Error("The daemon does not answer. Is it running?");
  }
  if (answer.ok) return answer;
  const reason = await answer.json().catch(() => ({}));
  throw new Error(reason.text || `The daemon answered with status ${answer.status}.`);
}
