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
  // In words for whoever reads the page; the daemon's own are for whoever writes a program.
  const words = { 401: "That is not the daemon's token; it is in the file that [http] token_file names." };
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
  await answered(api(`runs/${part(runId)}/abort`), { method: "POST", headers, body: JSON.stringify({ text }) }, words);
}

async function answered(path, options = {}, words = {}) {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Error("The daemon does not answer. Is it running?");
  }
  if (answer.ok) return answer;
  const reason = await answer.json().catch(() => ({}));
  throw new Error(words[answer.status] || reason.text || `The daemon answered with status ${answer.status}.`);
}
