// setTimeout and its kin, on the host's clock. A timer belongs to the event which set
// it, and counts towards its deadline.

import { waitFor } from "wasi:clocks/monotonic-clock@0.3.0";
import { report } from "../report.js";

const NANOSECONDS = 1e6;
/** The longest wait that the web knows, in milliseconds; longer ones are 1. */
const WAIT_MAX_MS = 2 ** 31 - 1;

const running = new Set();
let last = 0;

function delayOf(value) {
  const delay = Number(value);
  return delay >= 0 && delay <= WAIT_MAX_MS ? Math.trunc(delay) : delay > WAIT_MAX_MS ? 1 : 0;
}

async function run(id, delay, repeat, action) {
  do {
    await waitFor(delay * NANOSECONDS);
    if (!running.has(id)) return;
    if (!repeat) running.delete(id);
    try {
      // A timer does not wait for what it has called, but its errors are reported.
      Promise.resolve(action()).catch((error) => report("a timer", error));
    } catch (error) {
      report("a timer", error);
    }
  } while (repeat && running.has(id));
}

function start(callback, delay, repeat, values) {
  if (typeof callback !== "function") throw new TypeError("The callback is no function");
  const id = ++last;
  running.add(id);
  run(id, delayOf(delay), repeat, () => callback(...values)).catch((error) => report("a timer", error));
  return id;
}

export const setTimeout = (callback, delay = 0, ...values) => start(callback, delay, false, values);
// A pause of nothing would never let anybody else run.
export const setInterval = (callback, delay = 0, ...values) => start(callback, Math.max(1, delayOf(delay)), true, values);
export const setImmediate = (callback, ...values) => start(callback, 0, false, values);
export const clearTimeout = (id) => void running.delete(id);
export const clearInterval = clearTimeout;
export const clearImmediate = clearTimeout;
