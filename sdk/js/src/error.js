import { fromOption } from "./engine.js";

/**
 * What the host has refused, with the words of the WIT interface.
 *
 * `code` says why (`gone`, `full`, `too-large`, `conflict`, …); `value` is the number
 * that belongs to it: the bytes in the queue, the limit, or the version now.
 */
export class HostError extends Error {
  constructor(code, value, message) {
    super(message);
    this.name = "HostError";
    this.code = code;
    this.value = value;
  }
}

/**
 * Calls the host. An error of the WIT interface becomes a `HostError`, with a text
 * from `texts`; anything else is thrown on.
 */
export function call(texts, action) {
  try {
    return action();
  } catch (error) {
    throw hostError(texts, error?.payload) ?? error;
  }
}

function hostError(texts, payload) {
  // A variant without a value is an enum to one of the engines.
  const code = typeof payload === "string" ? payload : payload?.tag;
  if (typeof code !== "string") return undefined;
  const raw = fromOption(payload.val);
  const value = typeof raw === "bigint" ? Number(raw) : raw;
  const text = texts[code];
  const message = typeof text === "function" ? text(value) : (text ?? `the host says: ${code}`);
  return new HostError(code, value, message);
}
