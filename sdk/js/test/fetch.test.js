// Headers, Request, Response and their bodies, with node's for reference.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Headers as OurHeaders } from "../src/globals/fetch/headers.js";
import { Request as OurRequest } from "../src/globals/fetch/request.js";
import { Response as OurResponse } from "../src/globals/fetch/response.js";
import { ReadableStream as OurStream } from "../src/globals/streams.js";
import { URLSearchParams as OurParams } from "../src/globals/url.js";

const result = (action) => {
  try {
    return action();
  } catch (error) {
    return error.name;
  }
};

test("headers do what node's do", () => {
  const inits = [undefined, { A: "1", b: " 2 " }, [["x", "1"], ["X", "2"], ["set-cookie", "a"], ["Set-Cookie", "b"]], new Map([["m", "1"]])];
  const runs = [
    (headers) => headers.append("x", "3"),
    (headers) => headers.set("X", "4"),
    (headers) => headers.delete("x"),
    (headers) => headers.append("bad name", "x"),
    (headers) => headers.append("x", "a\nb"),
    (headers) => headers.get(""),
  ];
  for (const init of inits) {
    for (const run of runs) {
      const both = [Headers, OurHeaders].map((kind) =>
        result(() => {
          const headers = new kind(init);
          run(headers);
          return [[...headers], headers.get("X"), headers.has("x"), headers.getSetCookie(), [...headers.keys()]];
        }),
      );
      assert.deepEqual(both[1], both[0]);
    }
  }
  assert.throws(() => new OurHeaders([["one"]]), TypeError);
});

const shapeOf = async (thing) => ({
  status: thing.status,
  ok: thing.ok,
  method: thing.method,
  url: thing.url,
  redirected: thing.redirected,
  type: thing.headers.get("content-type"),
  text: await thing.text(),
  used: thing.bodyUsed,
});

test("responses are made as node makes them", async () => {
  const makers = [
    (Response) => new Response(),
    (Response) => new Response("text"),
    (Response) => new Response("text", { status: 404, headers: { "content-type": "a/b" } }),
    (Response) => new Response(new Uint8Array([104, 105])),
    (Response) => new Response(new TextEncoder().encode("view").buffer),
    (Response) => Response.json({ a: 1 }, { status: 201 }),
    (Response) => Response.redirect("http://a/b", 301),
    (Response) => new Response(null, { status: 204 }),
    (Response) => new Response("x", { status: 204 }),
    (Response) => new Response("x", { status: 99 }),
    (Response) => Response.redirect("http://a/", 200),
    (Response) => Response.json(undefined),
  ];
  for (const make of makers) {
    const [nodes, ours] = await Promise.all([Response, OurResponse].map(async (kind) => {
      const made = result(() => make(kind));
      return typeof made === "string" ? made : shapeOf(made);
    }));
    assert.deepEqual(ours, nodes, String(make));
  }
});

test("requests are made as node makes them", async () => {
  const makers = [
    (Request) => new Request("http://a/b?c"),
    (Request) => new Request("http://a", { method: "post", body: "x" }),
    (Request) => new Request("http://a", { method: "patch", body: "x" }),
    (Request) => new Request(new Request("http://a", { method: "PUT", body: "x", headers: { "x-a": "1" } }), { headers: { "x-b": "2" } }),
    (Request) => new Request("http://a", { body: "x" }),
    (Request) => new Request("http://a", { method: "TRACE" }),
    (Request) => new Request("http://a", { method: "a b" }),
    (Request) => new Request("/relative"),
    (Request) => new Request("http://user:pw@a/"),
  ];
  for (const make of makers) {
    const [nodes, ours] = await Promise.all([Request, OurRequest].map(async (kind) => {
      const made = result(() => make(kind));
      return typeof made === "string" ? made : shapeOf(made);
    }));
    assert.deepEqual(ours, nodes, String(make));
  }
  const form = new OurRequest("http://a", { method: "POST", body: new OurParams({ a: "b c" }) });
  assert.equal(form.headers.get("content-type"), "application/x-www-form-urlencoded;charset=UTF-8");
  assert.equal(await form.text(), "a=b+c");
});

test("a body is read once, whole or in pieces, and a clone has its own", async () => {
  const encoder = new TextEncoder();
  const stream = () => OurStream.from([encoder.encode("one "), encoder.encode("two")]);
  const response = new OurResponse(stream());
  const copy = response.clone();
  assert.equal(await response.text(), "one two");
  assert.ok(response.bodyUsed);
  await assert.rejects(response.text(), TypeError);
  assert.throws(() => response.clone(), TypeError);
  assert.deepEqual(Buffer.from(await copy.arrayBuffer()).toString(), "one two");
  const pieces = [];
  for await (const piece of new OurResponse(stream()).body) pieces.push(Buffer.from(piece).toString());
  assert.deepEqual(pieces, ["one ", "two"]);
  assert.deepEqual(await OurResponse.json([1]).json(), [1]);
  await assert.rejects(new OurResponse("{").json(), SyntaxError);
  await assert.rejects(new OurResponse(OurStream.from(["text"])).text(), TypeError);
});
