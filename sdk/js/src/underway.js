// How many events this instance has in hand: what only matters to them ends with them.

import { ENGINE } from "./engine.js";

// A test in node is one event that does not end.
let events = ENGINE === "node" ? 1 : 0;

/** Counts an event until its promise is settled. */
export async function during(action) {
  events += 1;
  try {
    return await action();
  } finally {
    events -= 1;
  }
}

export const isAnyUnderWay = () => events > 0;
