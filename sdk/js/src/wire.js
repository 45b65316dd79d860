// Small things about what the host gives.

import { toText } from "./bytes.js";

/** Gives a resource back, if it is still ours. */
export function drop(resource) {
  const dispose = resource?.[Symbol.dispose ?? Symbol.for("dispose")] ?? resource?.[Symbol.for("dispose")];
  if (dispose) dispose.call(resource);
  else resource?.drop?.();
}

/** The value of a header field. */
export function textOf(value) {
  return typeof value === "string" ? value : toText(value instanceof Uint8Array ? value : Uint8Array.from(value));
}
