// The other globals, with node's for reference where it has them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { host } from "../testing/host.js";

const { structuredClone: ourClone } = await import("../src/globals/structured-clone.js");
const { AbortController: OurController, AbortSignal: OurSignal, Event: OurEvent, EventTarget: OurTarget } = await import("../src/globals/events.js");
const timers = await import("../src/globals/timers.js");
const { crypto: ourCrypto, mathRandom } = await import("../src/globals/crypto.js");
const { console: ourConsole } = await import("../src/globals/console.js");

test("values are cloned as node clones them", () => {
  const loop = { name: "loop", list: [1, , 3] };
  loop.self = loop;
  const values = [1, "a", null, undefined, 1n, true, new Date(5), /a/gi, [1, [2]], loop, new Map([[{ a: 1 }, new Set([1])]]), new Uint16Array([1, 2]), new Error("e"), new TypeError("t"), Object("boxed")];
  for (const value of values) assert.deepEqual(ourClone(value), structuredClone(value));
  // Node 20 leaves it out.
  assert.equal(ourClone(new Error("e", { cause: 1 })).cause, 1);
  const copy = ourClone(loop);
  assert.equal(copy.self, copy);
  for (const value of [() => 1, Symbol("s"), { f() {} }, Promise.resolve()]) {
    assert.throws(() => ourClone(value), { name: "DataCloneError" });
  }
});

test("events are heard as node's are", () => {
  const both = [[EventTarget, Event], [OurTarget, OurEvent]].map(([Target, Kind]) => {
    const target = new Target();
    const heard = [];
    const twice = (event) => heard.push(`twice ${event.type}`);
    target.addEventListener("x", twice);
    target.addEventListener("x", twice);
    target.addEventListener("x", { handleEvent: (event) => heard.push(event.target === target) }, { once: true });
    target.addEventListener("x", (event) => event.preventDefault());
    heard.push(target.dispatchEvent(new Kind("x", { cancelable: true })), target.dispatchEvent(new Kind("y")));
    target.removeEventListener("x", twice);
    heard.push(target.dispatchEvent(new Kind("x")));
    return heard;
  });
  assert.deepEqual(both[1], both[0]);
});

test("signals are aborted as node's are", async () => {
  const shapes = await Promise.all([[AbortController, AbortSignal], [OurController, OurSignal]].map(async ([Controller, Signal]) => {
    const controller = new Controller();
    const any = Signal.any([new Controller().signal, controller.signal]);
    let heard = 0;
    any.addEventListener("abort", () => heard++);
    controller.abort("why");
    controller.abort("again");
    const late = Signal.timeout(1);
    await new Promise((resolve) => late.addEventListener("abort", resolve));
    return [any.aborted, any.reason, heard, late.reason.name, Signal.abort().reason.name, new Controller().signal.aborted];
  }));
  assert.deepEqual(shapes[1], shapes[0]);
  assert.throws(() => OurSignal.abort("x").throwIfAborted(), (error) => error === "x");
});

test("timers run in order, again, and not after they were cleared", async () => {
  const heard = [];
  const cleared = timers.setTimeout(() => heard.push("cleared"), 1);
  timers.clearTimeout(cleared);
  let rounds = 0;
  await new Promise((resolve) => {
    timers.setTimeout((...values) => heard.push(values), 10, 1, 2);
    const id = timers.setInterval(() => {
      if (++rounds < 3) return;
      timers.clearInterval(id);
      timers.setTimeout(resolve, 30);
    }, 1);
  });
  assert.deepEqual(heard, [[1, 2]]);
  assert.equal(rounds, 3);
  host.reset();
  await new Promise((resolve) => {
    timers.setTimeout(() => {
      resolve();
      throw new Error("in a timer");
    });
  });
  await new Promise((resolve) => setTimeout(resolve));
  assert.match(host.lines[0].message, /^a timer failed: Error: in a timer/);
  assert.throws(() => timers.setTimeout("code"), TypeError);
});

test("random values come from the host", () => {
  const bytes = ourCrypto.getRandomValues(new Uint32Array(100));
  assert.ok(new Set(bytes).size > 90);
  assert.match(ourCrypto.randomUUID(), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.throws(() => ourCrypto.getRandomValues(new Float32Array(1)), { name: "TypeMismatchError" });
  assert.throws(() => ourCrypto.getRandomValues(new Uint8Array(65537)), { name: "QuotaExceededError" });
  const numbers = Array.from({ length: 1000 }, mathRandom);
  assert.ok(numbers.every((number) => number >= 0 && number < 1));
  const mean = numbers.reduce((sum, number) => sum + number) / numbers.length;
  assert.ok(mean > 0.4 && mean < 0.6, String(mean));
});

test("console writes lines of the log", () => {
  host.reset();
  ourConsole.log("%s has %d, %o", "Ada", "3", { a: [1, "x"] });
  ourConsole.group("group");
  ourConsole.warn("inside", new Map([["k", 1]]));
  ourConsole.groupEnd();
  ourConsole.error(new TypeError("wrong"));
  ourConsole.assert(false, "not so");
  const lines = host.lines.map(({ level, message }) => `${level} ${message.split("\n")[0]}`);
  assert.deepEqual(lines, [
    'info Ada has 3, { a: [1, "x"] }',
    "info group",
    'warn   inside Map { "k" => 1 }',
    "error TypeError: wrong",
    "error Assertion failed: not so",
  ]);
});
