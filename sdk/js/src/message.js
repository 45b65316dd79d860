// A message is a string (text) or a Uint8Array (binary) to the author, and a variant
// to the host.

import { toBytes } from "./bytes.js";

export function toWire(message) {
  if (typeof message === "string") return { tag: "text", val: message };
  return { tag: "binary", val: toBytes(message) };
}

export function fromWire(message) {
  return message.val;
}
