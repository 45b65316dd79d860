import assert from "node:assert/strict";
import { test } from "node:test";
import { connection, handshake, host } from "holdfast/testing";
import plugin, { roomOf } from "./plugin.js";

test("rooms have plain names", () => {
  assert.equal(roomOf("/rooms/lobby"), "lobby");
  for (const path of ["/", "/rooms/", "/rooms/a/b", "/rooms/a%20b", "/other/lobby"]) assert.equal(roomOf(path), undefined);
});

const said = (id) => host.sent(id).map((text) => JSON.parse(text));

function join(id, nick) {
  const { attachment } = plugin.websocket.accept(handshake({ path: "/rooms/lobby" }));
  plugin.websocket.receive(connection({ id, attachment }), JSON.stringify({ type: "join", nick }));
}

test("what somebody says reaches everybody, and is kept", () => {
  host.reset();
  join("a", "Ada");
  join("b", "Grace");
  const grace = connection({ id: "c", attachment: JSON.stringify({ room: "lobby", nick: "Grace" }) });
  plugin.websocket.receive(grace, JSON.stringify({ type: "say", text: "hi" }));
  assert.deepEqual(said("a").map(({ type }) => type), ["welcome", "joined", "message"]);
  join("d", "Eve");
  assert.deepEqual(said("d")[0].messages, [{ id: 1, nick: "Grace", text: "hi" }]);
});

test("the last messages are kept and ids go on", async () => {
  host.reset();
  for (let number = 1; number <= 60; number++) {
    await plugin.fetch(new Request("http://localhost/rooms/lobby", { method: "POST", body: String(number) }));
  }
  join("a", "Ada");
  const ids = said("a")[0].messages.map(({ id }) => id);
  assert.deepEqual(ids, Array.from({ length: 50 }, (_, index) => index + 11));
});

test("what is wrong is said", () => {
  host.reset();
  const attachment = JSON.stringify({ room: "lobby" });
  for (const message of ["", "[]", "1", '{"type":"say","text":"x"}', '{"type":"dance"}', new Uint8Array(1)]) {
    plugin.websocket.receive(connection({ id: "a", attachment }), message);
    assert.equal(said("a")[0].type, "error");
  }
});
