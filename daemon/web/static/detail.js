// Detail: a record that came thinned gets every sample of what is in view, once that is short enough.
import { waveform } from "/page/waveform.js";

const POINTS = 200_000;

/** Return what is to be told where the view came to rest; `shown(found, isWhole)` gets what to draw, and which of it is whole. */
export function detail(runId, index, coarse, shown) {
  const { recorded_origin_s: origin, recorded_interval_s: interval, recorded_samples: samples } = coarse.head;
  let [first, end] = [0, 0];
  let asked = 0;
  return async (min, max) => {
    const from = Math.max(Math.floor((min - origin) / interval), 0);
    const to = Math.min(Math.ceil((max - origin) / interval) + 1, samples);
    if (to - from > POINTS) {
      if (end) shown(coarse, () => false);
      [first, end] = [0, 0];
      return;
    }
    if (from >= first && to <= end) return;
    // Some more at each side, so that a small pan needs no further question.
    const more = Math.floor((POINTS - (to - from)) / 2);
    const turn = ++asked;
    const start = Math.max(from - more, 0);
    const fine = await waveform(runId, index, start, Math.min(to + more, samples) - start);
    if (turn !== asked) return;
    [first, end] = [start, start + fine.head.samples];
    shown(joined(coarse, fine), (least, most) => least >= fine.times[0] - interval && most <= fine.times.at(-1) + interval);
  };
}

/** The fine stretch, with the coarse record before and after it. */
function joined(coarse, fine) {
  const before = coarse.times.findIndex((time) => time >= fine.times[0]);
  const past = coarse.times.findIndex((time) => time > fine.times.at(-1));
  const after = past < 0 ? coarse.times.length : past;
  const glue = (name) => coarse[name] && [...coarse[name].slice(0, before), ...fine[name], ...coarse[name].slice(after)];
  return { head: coarse.head, times: glue("times"), current: glue("current"), power: glue("power") };
}
