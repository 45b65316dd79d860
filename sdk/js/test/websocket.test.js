// The author's handlers as the host sees them, with a host in memory.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { connections, config, keyvalue, log, print, topics } from "holdfast";
import { connection, handshake, host } from "holdfast/testing";
import { attachmentsExports } from "../src/attachments.js";
import { answer } from "../src/http/answer.js";
import { websocketExports } from "../src/websocket.js";

beforeEach(() => host.reset());

const request = (path, headers = []) => ({
  id: "new",
  scheme: "https",
  authority: "example.org",
  pathWithQuery: path,
  headers: headers.map(([name, value]) => ({ name, value: Buffer.from(value) })),
  subprotocols: ["b", "a"],
  remoteAddress: "192.0.2.1:4711",
});

const thrown = (promise) => promise.then(() => assert.fail("it did not throw"), (error) => error);

test("a handshake is accepted, unless a handler says otherwise", async () => {
  const plain = await websocketExports({}).accept(request("/"));
  assert.deepEqual(plain, { subprotocol: null, headers: [], attachment: new Uint8Array(0), topics: [] });
  const accept = () => ({ subprotocol: "a", headers: { "x-a": "1" }, attachment: "ä", topics: ["t"] });
  const full = await websocketExports({ accept }).accept(request("/"));
  assert.deepEqual([full.subprotocol, full.topics, Buffer.from(full.attachment).toString()], ["a", ["t"], "ä"]);
  assert.equal(full.headers[0].name, "x-a");
});

test("a response refuses a handshake", async () => {
  const accept = async () => new Response("not you", { status: 403, headers: { "x-why": "so" } });
  const rejection = await thrown(websocketExports({ accept }).accept(request("/")));
  assert.equal(rejection.status, 403);
  assert.equal(Buffer.from(rejection.body).toString(), "not you");
  assert.ok(rejection.headers.some(({ name, value }) => name === "x-why" && Buffer.from(value).toString() === "so"));
});

test("a handshake gives the parts of its target, and its fields", () => {
  const it = handshake({ path: "/rooms/a?nick=Ada%20L&x", headers: { Cookie: "a=1" }, subprotocols: ["v1"] });
  assert.deepEqual([it.path, it.query, it.searchParams.get("nick")], ["/rooms/a", "nick=Ada%20L&x", "Ada L"]);
  assert.deepEqual([it.header("COOKIE"), it.header("other"), it.headers.get("cookie")], ["a=1", null, "a=1"]);
  assert.equal(it.url, "http://localhost/rooms/a?nick=Ada%20L&x");
  assert.deepEqual([handshake({ path: "/" }).query, it.subprotocols], ["", ["v1"]]);
});

test("an error becomes the failure of one event, and is in the log with its place", async () => {
  const wrong = () => {
    throw new RangeError("so wrong");
  };
  const exports = websocketExports({ accept: wrong, receive: wrong, close: async () => wrong() });
  assert.equal((await thrown(exports.accept(request("/")))).status, 500);
  const wire = host.open();
  const failure = await thrown(exports.receive(wire, { tag: "text", val: "x" }));
  assert.deepEqual(failure, { tag: "failed", val: "RangeError: so wrong" });
  await thrown(exports.close(wire, { cause: "client", code: 1000, reason: "" }));
  await exports.open(wire);
  assert.deepEqual(host.lines.map(({ level }) => level), ["error", "error", "error"]);
  assert.match(host.lines[1].message, /^websocket\.receive failed: RangeError: so wrong\n.*websocket\.test\.js/s);
  const response = await answer(wrong, new Request("http://localhost/"));
  assert.equal(response.status, 500);
  assert.equal((await answer(() => "text", null)).status, 500);
  assert.match(host.lines.at(-1).message, /has to return a Response/);
});

test("a handler that is none is refused at once", () => {
  assert.throws(() => websocketExports({ message() {} }), /websocket\.message is no handler: they are accept/);
});

test("texts and bytes are sent, and what the host refuses is an error with its word", () => {
  const one = connection({ id: "one", attachment: "before" });
  one.send("text");
  one.send(new Uint8Array([1, 2]).buffer);
  assert.deepEqual(host.sent("one"), ["text", new Uint8Array([1, 2])]);
  assert.deepEqual([one.attachmentText, one.attachmentVersion], ["before", 0]);
  assert.equal(one.setAttachment(JSON.stringify({ a: 1 }), 0), 1);
  assert.equal(Buffer.from(connections.get("one").attachment).toString(), '{"a":1}');
  assert.throws(() => one.setAttachment("x", 0), { name: "HostError", code: "conflict", value: 1, message: "the attachment has changed, to version 1" });
  assert.throws(() => connections.send("nobody", "x"), { code: "gone", value: null });
  assert.throws(() => one.close(5), { code: "invalid-code" });
  assert.throws(() => one.send(1), TypeError);
  one.close(4000, "bye");
  assert.deepEqual([host.connections.get("one").closed, connections.get("one")], [{ code: 4000, reason: "bye" }, null]);
});

test("topics reach their subscribers", () => {
  const [one, other] = [connection({ id: "one" }), connection({ id: "other", topics: ["news"] })];
  one.subscribe("news");
  assert.deepEqual(topics.publish("news", "all"), { queued: 2, full: 0 });
  assert.deepEqual(topics.publish("news", "others", { except: "one" }), { queued: 1, full: 0 });
  other.unsubscribe("news");
  assert.deepEqual([topics.count("news"), topics.subscribers("news").map(({ connection }) => connection)], [1, ["one"]]);
  assert.deepEqual(host.sent("one"), ["all"]);
  assert.throws(() => one.subscribe(""), { code: "invalid-name", value: 255 });
});

test("keys have values", () => {
  const store = keyvalue.open();
  store.set("a", "text");
  store.setJson("b", { n: 1 });
  assert.deepEqual([store.getText("a"), store.getJson("b"), store.get("c"), store.getJson("c")], ["text", { n: 1 }, null, null]);
  assert.deepEqual([store.increment("n"), store.increment("n", -3)], [1, -2]);
  assert.deepEqual(store.keys(), ["a", "b", "n"]);
  store.setMany([["x", "1"], ["y", "2"]]);
  store.deleteMany(["a", "b"]);
  assert.deepEqual([...store.getMany(["x", "a"]).entries()], [["x", new Uint8Array([49])], ["a", null]]);
  assert.deepEqual([store.exists("y"), store.exists("a")], [true, false]);
  let tries = 0;
  const updated = store.update("u", (before) => {
    // Somebody else is faster, once.
    if (++tries === 1) store.set("u", "theirs");
    return `${before ? Buffer.from(before) : "none"}+`;
  });
  assert.deepEqual([Buffer.from(updated).toString(), tries], ["theirs+", 2]);
  assert.throws(() => store.update("u", () => (store.set("u", "again"), "x")), { code: "contended" });
  assert.throws(() => keyvalue.open("other"), { code: "no-such-store" });
});

test("settings, lines and output", () => {
  host.config = { greeting: "hi" };
  assert.deepEqual([config.get("greeting"), config.get("other"), config.all()], ["hi", null, { greeting: "hi" }]);
  log.warn("%d bottles", 3, { a: [] });
  print("x".repeat(5000));
  assert.deepEqual(host.lines, [{ level: "warn", context: "js", message: "3 bottles { a: [] }" }]);
  assert.equal(host.output, `${"x".repeat(5000)}\n`);
});

test("attachments are migrated by the author's code", () => {
  const migrate = (from, bytes) => {
    if (from !== "") throw new Error(`no way from ${from}`);
    return `new ${Buffer.from(bytes)}`;
  };
  const exports = attachmentsExports({ format: "2", migrate });
  assert.equal(exports.format(), "2");
  assert.equal(Buffer.from(exports.migrate("", Buffer.from("old"))).toString(), "new old");
  assert.throws(() => exports.migrate("9", Buffer.from("")), (error) => error === "no way from 9");
});
