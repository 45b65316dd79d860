// URLSearchParams (url.spec.whatwg.org, section 6), and the form encoding behind it.

import { TextEncoder } from "../encoding.js";
import { encodeBytes, percentDecode } from "./percent.js";

const encoder = /* @__PURE__ */ new TextEncoder();

export function parseForm(text) {
  const pairs = [];
  for (const piece of text.split("&")) {
    if (piece === "") continue;
    const at = piece.indexOf("=");
    const name = at < 0 ? piece : piece.slice(0, at);
    const value = at < 0 ? "" : piece.slice(at + 1);
    pairs.push([decode(name), decode(value)]);
  }
  return pairs;
}

export function serializeForm(pairs) {
  return pairs.map(([name, value]) => `${encode(name)}=${encode(value)}`).join("&");
}

function decode(text) {
  return percentDecode(text.replaceAll("+", " "));
}

function encode(text) {
  let out = "";
  for (const character of text.toWellFormed?.() ?? text) {
    if (/[A-Za-z0-9*\-._]/.test(character)) out += character;
    else out += character === " " ? "+" : encodeBytes(encoder.encode(character));
  }
  return out;
}

export class URLSearchParams {
  #pairs;
  #changed = null;

  constructor(init = "") {
    this.#pairs = pairsOf(init);
  }

  /** The parameters of a URL, which is told when they change. */
  static of(query, changed) {
    const params = new URLSearchParams(query);
    params.#changed = changed;
    return params;
  }

  /** What a URL does when its query changes. */
  static reset(params, query) {
    params.#pairs = parseForm(query);
  }

  #update(pairs) {
    this.#pairs = pairs;
    this.#changed?.(serializeForm(pairs));
  }

  get size() {
    return this.#pairs.length;
  }

  append(name, value) {
    this.#update([...this.#pairs, [String(name), String(value)]]);
  }

  delete(name, value) {
    const isOther = (pair) => pair[0] !== String(name) || (value !== undefined && pair[1] !== String(value));
    this.#update(this.#pairs.filter(isOther));
  }

  get(name) {
    return this.#pairs.find((pair) => pair[0] === String(name))?.[1] ?? null;
  }

  getAll(name) {
    return this.#pairs.filter((pair) => pair[0] === String(name)).map((pair) => pair[1]);
  }

  has(name, value) {
    return this.#pairs.some((pair) => pair[0] === String(name) && (value === undefined || pair[1] === String(value)));
  }

  set(name, value) {
    const first = this.#pairs.findIndex((pair) => pair[0] === String(name));
    if (first < 0) return this.append(name, value);
    const pairs = this.#pairs.filter((pair, index) => index <= first || pair[0] !== String(name));
    pairs[first] = [String(name), String(value)];
    this.#update(pairs);
  }

  sort() {
    this.#update([...this.#pairs].sort((one, other) => (one[0] < other[0] ? -1 : one[0] > other[0] ? 1 : 0)));
  }

  forEach(callback, self) {
    for (const [name, value] of this.#pairs) callback.call(self, value, name, this);
  }

  *entries() {
    for (let index = 0; index < this.#pairs.length; index++) yield [...this.#pairs[index]];
  }

  *keys() {
    for (const [name] of this.entries()) yield name;
  }

  *values() {
    for (const [, value] of this.entries()) yield value;
  }

  [Symbol.iterator]() {
    return this.entries();
  }

  get [Symbol.toStringTag]() {
    return "URLSearchParams";
  }

  toString() {
    return serializeForm(this.#pairs);
  }
}

function pairsOf(init) {
  if (typeof init !== "object" || init === null) return parseForm(String(init).replace(/^\?/, ""));
  if (typeof init[Symbol.iterator] !== "function") return Object.entries(init).map(([name, value]) => [name, String(value)]);
  return Array.from(init, (pair) => {
    const list = [...pair];
    if (list.length !== 2) throw new TypeError("Each query pair must be an iterable [name, value] tuple");
    return list.map(String);
  });
}
