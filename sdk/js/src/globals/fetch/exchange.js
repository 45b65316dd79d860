// The bodies of requests that a guest sends, by the streams of `wasi:io`.

import * as wire from "wasi:http/types@0.2.10";
import { waitFor } from "wasi:clocks/monotonic-clock@0.3.0";
import { drop } from "../../wire.js";
import { ReadableStream } from "../streams.js";

/** Between two looks at what the host has done, in nanoseconds. */
const PAUSE_MIN = 500_000;
const PAUSE_MAX = 10_000_000;
/** Bytes of one read. */
const READ_BYTES = 65536;

/** Waits until `ready` says so; other events run meanwhile. */
export async function until(ready, signal) {
  for (let pause = PAUSE_MIN; !ready(); pause = Math.min(pause * 2, PAUSE_MAX)) {
    await waitFor(pause);
    signal?.throwIfAborted();
  }
}

export async function sendBody(body, bytes, source) {
  const stream = body.write();
  try {
    if (bytes !== null) await write(stream, bytes);
    if (source !== null) for await (const chunk of source) await write(stream, chunk);
    stream.flush();
    await until(() => Number(stream.checkWrite()) > 0);
  } finally {
    drop(stream);
  }
  wire.OutgoingBody.finish(body, null);
}

async function write(stream, bytes) {
  for (let at = 0; at < bytes.length; ) {
    let room = 0;
    await until(() => (room = Number(stream.checkWrite())) > 0);
    stream.write(bytes.subarray(at, at + room));
    at += Math.min(room, bytes.length - at);
  }
}

export function incomingBody(body, signal) {
  const stream = body.stream();
  const pollable = stream.subscribe();
  const end = () => {
    drop(pollable);
    drop(stream);
    drop(body);
  };
  return new ReadableStream(
    {
      async pull(controller) {
        const bytes = await read(stream, pollable, signal);
        if (bytes) return controller.enqueue(bytes);
        end();
        controller.close();
      },
      cancel: end,
    },
    { highWaterMark: 0 },
  );
}

/** Some bytes; null at the end. */
async function read(stream, pollable, signal) {
  for (;;) {
    await until(() => pollable.ready(), signal);
    try {
      const bytes = stream.read(READ_BYTES);
      if (bytes.length > 0) return bytes;
    } catch (error) {
      const code = error?.payload?.tag ?? error?.payload;
      if (code === "closed") return null;
      throw new TypeError("fetch failed: the body ended too early", { cause: error });
    }
  }
}
