// Waveform: one capture, decoded from what daemon/web/waveform.py writes.
import { askBytes, part } from "/page/ask.js";

/** A capture, or `count` of its samples from `first` on. */
export async function waveform(runId, index, first = null, count = null) {
  const range = first === null ? "" : `?first=${first}&count=${count}`;
  return decoded(await askBytes(`runs/${part(runId)}/captures/${index}/waveform${range}`));
}

/** False where the instrument gave energy alone: its power is drawn then, and no current. */
export const hasCurrent = (head) => head.recording?.has_current !== false;

function decoded(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const start = 4 + length;
  const counts = new Uint16Array(buffer, start, head.samples);
  const padded = Math.ceil((2 * head.samples) / 8) * 8;
  const power = head.power ? new Float32Array(buffer, start + padded, head.samples) : null;
  return { head, times: times(head), current: current(head, counts), power: power && gapped(head, power) };
}

function times(head) {
  return Float64Array.from({ length: head.samples }, (_, index) => head.origin_s + index * head.interval_s);
}

function current(head, counts) {
  const values = new Float64Array(counts.length);
  for (let index = 0; index < counts.length; index += 1) {
    const isHole = counts[index] === head.hole_counts;
    values[index] = isHole ? NaN : (counts[index] - head.reference_counts) * head.increment_a + head.current_at_reference_a;
  }
  return gapped(head, values);
}

/** A missing sample is a gap in the line; the plot knows one by null, which typed arrays cannot hold. */
function gapped(head, values) {
  return head.holes ? Array.from(values, (value) => (Number.isNaN(value) ? null : value)) : values;
}
