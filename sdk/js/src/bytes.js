// Bytes and texts. What goes to the host is a Uint8Array.

const encoder = /* @__PURE__ */ new TextEncoder();
const decoder = /* @__PURE__ */ new TextDecoder();

/** A string in UTF-8, or the bytes of any buffer. */
export function toBytes(value) {
  if (typeof value === "string") return encoder.encode(value);
  if (value instanceof Uint8Array) return value;
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  throw new TypeError("a string, an ArrayBuffer or a view of one is wanted");
}

/** Bytes as UTF-8; what is none becomes U+FFFD. */
export function toText(bytes) {
  return bytes.length === 0 ? "" : decoder.decode(bytes);
}
