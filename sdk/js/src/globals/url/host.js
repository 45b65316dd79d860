// Hosts of URLs (url.spec.whatwg.org, section 3): names, IPv4 and IPv6.

import { SETS, percentDecode, percentEncode } from "./percent.js";
import { toPunycode } from "./punycode.js";

const FORBIDDEN = /[\0\t\n\r #/:<>?@[\\\]^|]/;
const FORBIDDEN_DOMAIN = /[\0-\x20"#%/:<>?@[\\\]^`{|}\x7f]/;

/** The host as a URL shows it; throws if it is none. */
export function parseHost(text, isSpecial) {
  if (text.startsWith("[")) {
    if (!text.endsWith("]")) throw new TypeError("Invalid URL");
    return `[${serializeIpv6(parseIpv6(text.slice(1, -1)))}]`;
  }
  if (!isSpecial) {
    if (FORBIDDEN.test(text)) throw new TypeError("Invalid URL");
    return percentEncode(text, SETS.c0);
  }
  const domain = toAscii(percentDecode(text));
  if (domain === "" || FORBIDDEN_DOMAIN.test(domain)) throw new TypeError("Invalid URL");
  return endsInNumber(domain) ? parseIpv4(domain) : domain;
}

/** The name in lower case, with labels of other scripts in Punycode. */
function toAscii(name) {
  // What IDNA ignores, and its other full stops.
  const mapped = name.replace(/[\u00ad\u200b\u2060\ufeff]/g, "").normalize("NFKC").toLowerCase().normalize("NFC");
  const labels = mapped.split(/[.\u3002\uff0e\uff61]/);
  if (labels.includes("xn--")) throw new TypeError("Invalid URL");
  return labels.map((label) => (/^[\0-\x7f]*$/.test(label) ? label : `xn--${toPunycode(label)}`)).join(".");
}

function endsInNumber(domain) {
  const parts = domain.split(".");
  if (parts.at(-1) === "" && parts.length > 1) parts.pop();
  return /^([0-9]+|0x[0-9a-f]*)$/i.test(parts.at(-1));
}

function parseIpv4(domain) {
  const parts = domain.split(".");
  if (parts.at(-1) === "" && parts.length > 1) parts.pop();
  const numbers = parts.map(parseNumber);
  const last = numbers.pop();
  const fits = parts.length <= 4 && numbers.every((number) => number <= 255) && last < 256 ** (5 - parts.length);
  if (!fits) throw new TypeError("Invalid URL");
  const address = numbers.reduce((sum, number, index) => sum + number * 256 ** (3 - index), last);
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");
}

function parseNumber(text) {
  if (/^0x[0-9a-f]*$/i.test(text)) return text.length === 2 ? 0 : parseInt(text, 16);
  if (/^0[0-7]*$/.test(text)) return parseInt(text, 8);
  return /^[1-9][0-9]*$/.test(text) ? parseInt(text, 10) : NaN;
}

function parseIpv6(text) {
  const halves = text.split("::");
  if (halves.length > 2) throw new TypeError("Invalid URL");
  const [left, right] = halves.map((half, index) => pieces(half, index === halves.length - 1));
  if (right === undefined) {
    if (left.length !== 8) throw new TypeError("Invalid URL");
    return left;
  }
  const missing = 8 - left.length - right.length;
  if (missing < 1) throw new TypeError("Invalid URL");
  return [...left, ...new Array(missing).fill(0), ...right];
}

function pieces(text, isLast) {
  if (text === "") return [];
  const parts = text.split(":");
  return parts.flatMap((part, index) => {
    if (isLast && index === parts.length - 1 && part.includes(".")) return embeddedIpv4(part);
    if (!/^[0-9a-f]{1,4}$/i.test(part)) throw new TypeError("Invalid URL");
    return [parseInt(part, 16)];
  });
}

function embeddedIpv4(text) {
  const parts = text.split(".");
  const plain = parts.length === 4 && parts.every((part) => /^(0|[1-9][0-9]{0,2})$/.test(part) && Number(part) < 256);
  if (!plain) throw new TypeError("Invalid URL");
  const [a, b, c, d] = parts.map(Number);
  return [a * 256 + b, c * 256 + d];
}

/** The longest run of zeros, of two at least, is left out. */
function serializeIpv6(parts) {
  let best = { at: -1, length: 1 };
  for (let at = 0; at < 8; at++) {
    let length = 0;
    while (at + length < 8 && parts[at + length] === 0) length++;
    if (length > best.length) best = { at, length };
  }
  const hex = (list) => list.map((part) => part.toString(16)).join(":");
  return best.at < 0 ? hex(parts) : `${hex(parts.slice(0, best.at))}::${hex(parts.slice(best.at + best.length))}`;
}
