// Percent-encoding (url.spec.whatwg.org, section 1.3).

import { TextDecoder, TextEncoder } from "../encoding.js";

const encoder = /* @__PURE__ */ new TextEncoder();
const decoder = /* @__PURE__ */ new TextDecoder("utf-8", { ignoreBOM: true });

const C0 = "";
const FRAGMENT = `${C0} "<>\``;
const QUERY = `${C0} "#<>`;
const PATH = `${QUERY}?^\`{}`;
const USERINFO = `${PATH}/:;=@[\\]|`;

/** The characters to encode beside controls and all that is not ASCII. */
export const SETS = { c0: C0, fragment: FRAGMENT, query: QUERY, specialQuery: `${QUERY}'`, path: PATH, userinfo: USERINFO };

export function percentEncode(text, set) {
  let out = "";
  for (const character of text) {
    const code = character.codePointAt(0);
    const plain = code > 0x1f && code < 0x7f && !set.includes(character);
    out += plain ? character : encodeBytes(encoder.encode(character));
  }
  return out;
}

export function encodeBytes(bytes) {
  return Array.from(bytes, (byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join("");
}

export function percentDecodeBytes(text) {
  const bytes = encoder.encode(text);
  const out = [];
  for (let index = 0; index < bytes.length; index++) {
    const hex = bytes[index] === 0x25 ? String.fromCharCode(bytes[index + 1], bytes[index + 2]) : "";
    if (/^[0-9a-f]{2}$/i.test(hex)) {
      out.push(parseInt(hex, 16));
      index += 2;
    } else {
      out.push(bytes[index]);
    }
  }
  return Uint8Array.from(out);
}

export function percentDecode(text) {
  return text.includes("%") ? decoder.decode(percentDecodeBytes(text)) : decoder.decode(encoder.encode(text));
}
