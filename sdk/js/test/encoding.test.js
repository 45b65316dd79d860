// TextEncoder and TextDecoder, with node's for reference.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as ours from "../src/globals/encoding.js";

const TEXTS = ["", "plain", "äöü", "€ 漢字", "𝄞 clef", "\ud800", "a\udc00b", "\ufeffbom", "\u0000\u007f\u0080\u07ff\u0800\uffff", "x".repeat(10000)];

test("texts are encoded as node encodes them", () => {
  for (const text of TEXTS) {
    assert.deepEqual(new ours.TextEncoder().encode(text), new TextEncoder().encode(text));
    for (const room of [0, 1, 2, 3, 4, 7]) {
      const [one, other] = [new Uint8Array(room), new Uint8Array(room)];
      assert.deepEqual(new ours.TextEncoder().encodeInto(text, one), new TextEncoder().encodeInto(text, other));
      assert.deepEqual(one, other);
    }
  }
});

const BYTES = [
  [], [0x61], [0xc3, 0xa4], [0xe2, 0x82, 0xac], [0xf0, 0x9d, 0x84, 0x9e], [0xff], [0xc3], [0xe2, 0x82], [0xf0, 0x9d], [0xc0, 0x80], [0xe0, 0x80, 0x80],
  [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xf5, 0x80], [0xef, 0xbb, 0xbf, 0x41], [0xe2, 0x41], [0xf0, 0x9d, 0x41], [0x80, 0x41, 0xc2], [0xfe, 0xff, 0, 0x41],
];

test("bytes are decoded as node decodes them, at once and in pieces", () => {
  for (const label of ["utf-8", "utf-16le", "UTF8", " utf-16 "]) {
    for (const options of [{}, { fatal: true }, { ignoreBOM: true }]) {
      for (const list of BYTES) {
        const both = [TextDecoder, ours.TextDecoder].map((kind) => {
          try {
            const decoder = new kind(label, options);
            const bytes = Uint8Array.from(list);
            const whole = decoder.decode(bytes);
            const pieces = [...bytes].map((byte) => decoder.decode(Uint8Array.of(byte), { stream: true })).join("") + decoder.decode();
            return [decoder.encoding, whole, pieces];
          } catch (error) {
            return error.name;
          }
        });
        assert.deepEqual(both[1], both[0], `${label} ${JSON.stringify(options)} ${list}`);
      }
    }
  }
});

test("Latin-1 is what the web means by it", () => {
  // Node 20 takes it literally where it has the whole text at once.
  const bytes = Uint8Array.of(0x41, 0x80, 0x82, 0xe4, 0xff, 0x81);
  assert.equal(new ours.TextDecoder("latin1").decode(bytes), "A\u20ac\u201a\u00e4\u00ff\u0081");
});

test("any view can be decoded, and other encodings are refused", () => {
  const buffer = new TextEncoder().encode("hello").buffer;
  for (const view of [buffer, new DataView(buffer), new Uint8Array(buffer, 0)]) assert.equal(new ours.TextDecoder().decode(view), "hello");
  assert.throws(() => new ours.TextDecoder("koi8-r"), RangeError);
  assert.throws(() => new ours.TextDecoder().decode("text"), TypeError);
});
