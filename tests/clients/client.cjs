// Speaks WebSocket with the plugin `echo`: node client.cjs URL CA-FILE.
const assert = require("node:assert");
const { once } = require("node:events");
const { readFileSync } = require("node:fs");
const WebSocket = require("ws");

async function main(url, authority) {
  const socket = new WebSocket(url, { ca: readFileSync(authority) });
  await once(socket, "open");
  for (const message of ["hello", "ü".repeat(100_000), Buffer.alloc(200_000, 7), ""]) {
    socket.send(message);
    const [answer, isBinary] = await once(socket, "message");
    assert.strictEqual(isBinary, typeof message !== "string");
    assert.ok(answer.equals(Buffer.from(message)));
  }
  socket.send("in two ", { fin: false });
  socket.send("pieces", { fin: true });
  const [answer] = await once(socket, "message");
  assert.strictEqual(answer.toString(), "in two pieces");
  socket.ping("are you there");
  const [payload] = await once(socket, "pong");
  assert.strictEqual(payload.toString(), "are you there");
  socket.close(1000);
  const [code] = await once(socket, "close");
  assert.strictEqual(code, 1000);
  console.log("good");
}

main(...process.argv.slice(2)).catch((error) => {
  console.error(error);
  process.exit(1);
});
