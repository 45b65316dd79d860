import assert from "node:assert/strict";
import { test } from "node:test";
import { connection, host } from "holdfast/testing";
import plugin from "./plugin.js";

test("messages are counted", () => {
  const fresh = connection({ id: "a" });
  plugin.websocket.receive(fresh, "hi");
  const later = connection({ id: "b", attachment: "41" });
  plugin.websocket.receive(later, "hi");
  assert.deepEqual(host.sent("a"), ["1: you said hi"]);
  assert.deepEqual(host.sent("b"), ["42: you said hi"]);
});
