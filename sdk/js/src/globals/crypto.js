// crypto.getRandomValues and crypto.randomUUID, and a Math.random which is not the
// same in each instance: all of them begin with one snapshot of the engine.

import * as random from "wasi:random/random@0.2.10";
import { toLong } from "../engine.js";

/** What one call may ask for, as the web has it. */
const BYTES_MAX = 65536;

function randomBytes(length) {
  return random.getRandomBytes(toLong(length));
}

function getRandomValues(array) {
  if (!ArrayBuffer.isView(array) || array instanceof DataView || /^Float/.test(array.constructor.name)) {
    throw new DOMException("The data argument must be an integer-type TypedArray", "TypeMismatchError");
  }
  if (array.byteLength > BYTES_MAX) {
    throw new DOMException(`The requested length exceeds ${BYTES_MAX} bytes`, "QuotaExceededError");
  }
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength).set(randomBytes(array.byteLength));
  return array;
}

function randomUUID() {
  const bytes = randomBytes(16);
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

export const crypto = { getRandomValues, randomUUID };

/** The state of the generator behind `Math.random`: none in the snapshot. */
let state = null;

/** xoshiro128+, begun with 128 bits of the host's. */
export function mathRandom() {
  state ??= new Uint32Array(randomBytes(16).slice().buffer);
  const high = next(state) >>> 5;
  const low = next(state) >>> 6;
  return (high * 2 ** 26 + low) / 2 ** 53;
}

function next(words) {
  const result = words[0] + words[3];
  const shifted = words[1] << 9;
  words[2] ^= words[0];
  words[3] ^= words[1];
  words[1] ^= words[2];
  words[0] ^= words[3];
  words[2] ^= shifted;
  words[3] = (words[3] << 11) | (words[3] >>> 21);
  return result;
}
