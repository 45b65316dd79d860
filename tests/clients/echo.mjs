// Talks to an echo over WebSocket by Node's `ws`.
//
// Arguments: the URL, and `deflate` or `plain`: what has to be agreed on.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createRequire } from "node:module";

// The package is not where this script is.
const { WebSocket } = createRequire(process.env.MODULES)("ws");

const [url, expected] = process.argv.slice(2);
const options = { perMessageDeflate: expected === "deflate" && { threshold: 0 } };
const socket = new WebSocket(url, options);
await once(socket, "open");
assert.equal(socket.extensions.startsWith("permessage-deflate"), expected === "deflate");

const texts = ["short", "Ä".repeat(100), "to be or not to be ".repeat(5000), "", "x".repeat(300_000)];
const bytes = [Buffer.alloc(0), randomBytes(70_000), Buffer.alloc(500_000)];
// Twice, so that the second time may refer to the first.
for (const message of [...texts, ...bytes, ...texts, ...bytes]) {
  const isBinary = typeof message !== "string";
  socket.send(message);
  const [answer, isAnswerBinary] = await once(socket, "message");
  assert.equal(isAnswerBinary, isBinary);
  assert.ok(answer.equals(Buffer.from(message)), `${answer.length} bytes of ${message.length}`);
}
// In fragments, with a ping between them.
socket.send("one, ", { fin: false });
socket.ping("are you there");
socket.send("two, ".repeat(100), { fin: false });
socket.send("three", { fin: true });
const [joined] = await once(socket, "message");
assert.equal(String(joined), "one, " + "two, ".repeat(100) + "three");
socket.close(1000);
const [code] = await once(socket, "close");
assert.equal(code, 1000);
console.log("passed");
