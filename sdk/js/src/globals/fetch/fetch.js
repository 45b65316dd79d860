// fetch for QuickJS, by `wasi:http/outgoing-handler` 0.2. The 0.3 interface would have
// the engine wait by itself, but its builder can't take in its async function; so what
// the host has not done yet is asked for again after a moment.

import * as outgoing from "wasi:http/outgoing-handler@0.2.10";
import * as wire from "wasi:http/types@0.2.10";
import { toBytes } from "../../bytes.js";
import { drop, textOf } from "../../wire.js";
import { URL } from "../url.js";
import { Body } from "./body.js";
import { incomingBody, sendBody, until } from "./exchange.js";
import { Request } from "./request.js";
import { Response } from "./response.js";

const REDIRECTS_MAX = 20;
const REDIRECT = [301, 302, 303, 307, 308];
const METHODS = ["get", "head", "post", "put", "delete", "connect", "options", "trace", "patch"];

export async function fetch(input, init) {
  const request = new Request(input, init);
  request.signal.throwIfAborted();
  const { bytes, stream } = Body.take(request);
  let target = { url: new URL(request.url), method: request.method, headers: request.headers, bytes, stream };
  for (let redirects = 0; redirects <= REDIRECTS_MAX; redirects++) {
    const { status, headers, body } = await exchange(target, request.signal);
    const location = REDIRECT.includes(status) ? headers.find(([name]) => name.toLowerCase() === "location") : undefined;
    if (!location || request.redirect === "manual") {
      const parts = { bytes: null, stream: body };
      return Response.received({ status, headers, parts, url: target.url.href, redirected: redirects > 0 });
    }
    await body.cancel();
    if (request.redirect === "error") throw new TypeError("fetch failed: there is a redirect");
    target = redirected(target, status, location[1]);
  }
  throw new TypeError(`fetch failed: more than ${REDIRECTS_MAX} redirects`);
}

function redirected({ url, method, headers, bytes, stream }, status, location) {
  const next = new URL(location, url);
  const becomesGet = status === 303 ? method !== "HEAD" : status < 303 && method === "POST";
  if (!becomesGet && stream) throw new TypeError("fetch failed: a stream can't be sent a second time");
  const kept = [...headers].filter(([name]) => {
    const isOfBody = becomesGet && /^content-(type|length|language|encoding|location)$/.test(name);
    const isSecret = next.origin !== url.origin && ["authorization", "cookie"].includes(name);
    return !isOfBody && !isSecret;
  });
  return { url: next, method: becomesGet ? "GET" : method, headers: kept, bytes: becomesGet ? null : bytes, stream: null };
}

async function exchange({ url, method, headers, bytes, stream }, signal) {
  if (!/^https?:$/.test(url.protocol)) throw new TypeError(`fetch failed: ${url.protocol} is not supported`);
  const pairs = [...headers].filter(([name]) => name !== "host").map(([name, value]) => [name, toBytes(value)]);
  if (bytes !== null) pairs.push(["content-length", toBytes(String(bytes.length))]);
  const request = new wire.OutgoingRequest(wire.Fields.fromList(pairs));
  const lower = method.toLowerCase();
  request.setMethod(METHODS.includes(lower) ? { tag: lower } : { tag: "other", val: method });
  request.setScheme({ tag: url.protocol === "https:" ? "HTTPS" : "HTTP" });
  request.setAuthority(url.host);
  request.setPathWithQuery(url.pathname + url.search);
  const body = request.body();
  const pending = refused(() => outgoing.handle(request, null));
  // A server may answer without reading all of it: what counts is its answer.
  sendBody(body, bytes, stream).catch(() => {});
  return receive(pending, signal);
}

function refused(action) {
  try {
    return action();
  } catch (error) {
    throw failure(error?.payload ?? error);
  }
}

function failure(code) {
  const name = typeof code === "string" ? code : (code?.tag ?? String(code));
  const detail = typeof code?.val === "string" ? ` (${code.val})` : "";
  return new TypeError(`fetch failed: ${name}${detail}`);
}

async function receive(pending, signal) {
  const pollable = pending.subscribe();
  try {
    await until(() => pollable.ready(), signal);
    const answer = pending.get();
    const result = answer?.val ?? answer;
    if (result?.tag !== "ok") throw failure(result?.val);
    const response = result.val;
    const fields = response.headers();
    const headers = fields.entries().map(([name, value]) => [name, textOf(value)]);
    drop(fields);
    const body = response.consume();
    const status = response.status();
    drop(response);
    return { status, headers, body: incomingBody(body, signal) };
  } finally {
    drop(pollable);
    drop(pending);
  }
}
