// setTimeout and its kin, on the host's clock. A timer belongs to the event which set
// it, and counts towards its deadline.

import { now, waitFor } from "wasi:clocks/monotonic-clock@0.3.0";
import { report } from "../report.js";
import { isAnyUnderWay } from "../underway.js";

const NANOSECONDS = 1e6;
/**
 * A wait can't be given up, so it is done in steps, in milliseconds: a timer which was
 * cleared keeps its event no longer than one.
 */
const STEP_MS = 100;
/** The longest wait that the web knows, in milliseconds; longer ones are 1. */
const WAIT_MAX_MS = 2 ** 31 - 1;

const running = new Set();
let last = 0;

function delayOf(value) {
  const delay = Number(value);
  return delay >= 0 && delay <= WAIT_MAX_MS ? Math.trunc(delay) : delay > WAIT_MAX_MS ? 1 : 0;
}

/** Waits as long as `goesOn` says so, and returns whether that was the whole time. */
async function pause(delay, goesOn) {
  const end = Number(now()) + delay * NANOSECONDS;
  let left = delay * NANOSECONDS;
  do {
    await waitFor(Math.min(left, STEP_MS * NANOSECONDS));
    left = end - Number(now());
  } while (left > 0 && goesOn());
  return left <= 0;
}

async function run(id, delay, repeat, action) {
  do {
    await pause(delay, () => running.has(id));
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

/** A timer which ends with the last event that is under way. */
export function setWeakTimeout(callback, delay) {
  const over = (isWhole) => (isWhole ? callback() : undefined);
  pause(delayOf(delay), isAnyUnderWay).then(over).catch((error) => report("a timer", error));
}

export const setTimeout = (callback, delay = 0, ...values) => start(callback, delay, false, values);
// A pause of nothing would never let anybody else run.
export const setInterval = (callback, delay = 0, ...values) => start(callback, Math.max(1, delayOf(delay)), true, values);
export const setImmediate = (callback, ...values) => start(callback, 0, false, values);
export const clearTimeout = (id) => void running.delete(id);
export const clearInterval = clearTimeout;
export const clearImmediate = clearTimeout;
