// ReadableStream, with node's for reference.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ReadableStream as OurStream } from "../src/globals/streams.js";

/** Runs a scene with both, which have to do the same. */
const scene = (name, play) =>
  test(name, async () => {
    const [nodes, ours] = await Promise.all([ReadableStream, OurStream].map((kind) => play(kind)));
    assert.deepEqual(ours, nodes);
  });

const read = async (stream) => {
  const values = [];
  for await (const value of stream) values.push(value);
  return values;
};

scene("what was enqueued is read until the end", (Stream) =>
  read(new Stream({ start: (controller) => void [1, 2, 3].forEach((n) => controller.enqueue(n)) || controller.close() })),
);

scene("a source is pulled as long as there is room", async (Stream) => {
  let pulled = 0;
  const stream = new Stream({ pull: (controller) => void controller.enqueue(++pulled) }, { highWaterMark: 3 });
  await new Promise((resolve) => setTimeout(resolve, 20));
  const before = pulled;
  const reader = stream.getReader();
  await reader.read();
  await new Promise((resolve) => setTimeout(resolve, 20));
  return [before, pulled];
});

scene("nothing is pulled before somebody reads, where there is no room", async (Stream) => {
  let pulled = 0;
  const stream = new Stream({ pull: (controller) => void controller.enqueue(++pulled) }, { highWaterMark: 0 });
  await new Promise((resolve) => setTimeout(resolve, 20));
  const before = pulled;
  const { value } = await stream.getReader().read();
  return [before, value];
});

scene("an error is what readers get", async (Stream) => {
  const errors = [];
  const catching = (promise) => promise.catch((error) => errors.push(error.message));
  await catching(read(new Stream({ start: () => Promise.reject(new Error("start")) })));
  await catching(read(new Stream({ pull: () => Promise.reject(new Error("pull")) })));
  await catching(read(new Stream({ pull: (controller) => controller.error(new Error("told")) })));
  return errors;
});

scene("a loop that is left cancels the source", async (Stream) => {
  const canceled = [];
  const stream = new Stream({ pull: (controller) => controller.enqueue(1), cancel: (reason) => void canceled.push(reason) });
  for await (const value of stream) if (value === 1) break;
  const other = new Stream({ cancel: (reason) => void canceled.push(reason) });
  await other.cancel("why");
  return [canceled, stream.locked, await read(other)];
});

scene("a stream has one reader at a time", async (Stream) => {
  const stream = new Stream({ pull: (controller) => controller.enqueue("x") });
  const reader = stream.getReader();
  const names = [];
  try {
    stream.getReader();
  } catch (error) {
    names.push(error.name);
  }
  await stream.cancel().catch((error) => names.push(error.name));
  reader.releaseLock();
  await reader.read().catch((error) => names.push(error.name));
  return [names, (await stream.getReader().read()).value];
});

scene("a controller that is closed takes nothing", async (Stream) => {
  let controller;
  const stream = new Stream({ start: (it) => void (controller = it) });
  controller.enqueue(1);
  controller.close();
  const names = [];
  for (const action of [() => controller.enqueue(2), () => controller.close()]) {
    try {
      action();
    } catch (error) {
      names.push(error.name);
    }
  }
  return [names, await read(stream), controller.desiredSize];
});

scene("both branches of a tee have everything", async (Stream) => {
  const [one, other] = Stream.from(["a", "b"]).tee();
  return Promise.all([read(one), read(other)]);
});

scene("an iterable is a stream", async (Stream) => {
  async function* values() {
    yield 1;
    yield 2;
  }
  return [await read(Stream.from(values())), await read(Stream.from([3]))];
});
