import assert from "node:assert/strict";
import { test } from "node:test";
import plugin from "./plugin.js";

test("a name is no markup", async () => {
  const answer = async (init) => (await plugin.fetch(new Request("http://localhost/", init))).text();
  assert.match(await answer(), /Hello, world!/);
  assert.match(await answer({ method: "POST", body: "<b>" }), /Hello, &lt;b>!/);
});

test("other paths and methods are refused", async () => {
  assert.equal((await plugin.fetch(new Request("http://localhost/x"))).status, 404);
  assert.equal((await plugin.fetch(new Request("http://localhost/", { method: "PUT", body: "x" }))).status, 405);
});
