// HTTP for QuickJS: between `wasi:http/handler` 0.3 and the author's `fetch`.

import * as wire from "wasi:http/types@0.3.0";
import { toBytes } from "../bytes.js";
import { describe } from "../format.js";
import { Body } from "../globals/fetch/body.js";
import { report } from "../report.js";
import { drop, textOf } from "../wire.js";
import { during } from "../underway.js";
import { answer } from "./answer.js";
import { future, received, stream } from "./streams.js";

const NULL_BODY = [204, 205, 304];

export function httpExports(fetch) {
  return {
    handle: (request) =>
      during(async () => {
        const incoming = new Incoming(request);
        const response = await answer(fetch, incoming.toRequest());
        return toWire(response, incoming);
      }),
  };
}

/** The client's request. Its body is asked for when it is read, or never. */
class Incoming {
  #wire;
  #taken = false;

  constructor(request) {
    this.#wire = request;
  }

  toRequest() {
    const method = methodOf(this.#wire.getMethod());
    const scheme = (this.#wire.getScheme()?.tag ?? "HTTP").toLowerCase();
    const url = `${scheme}://${this.#wire.getAuthority() ?? "localhost"}${this.#wire.getPathWithQuery() ?? "/"}`;
    const fields = this.#wire.getHeaders();
    const headers = fields.copyAll().map(([name, value]) => [name, textOf(value)]);
    drop(fields);
    const hasBody = method !== "GET" && method !== "HEAD";
    return Request.received({ method, url, headers, parts: { bytes: null, stream: hasBody ? this.#body() : null } });
  }

  #body() {
    return received(() => {
      this.#taken = true;
      const result = future(/^RESULT_VOID_/);
      const [contents] = wire.Request.consumeBody(this.#wire, result.readable);
      return { contents, end: () => result.writable.write({ tag: "ok" }) };
    });
  }

  end() {
    if (!this.#taken) drop(this.#wire);
  }
}

function methodOf(method) {
  return method.tag === "other" ? method.val : method.tag.toUpperCase();
}

function toWire(response, incoming) {
  const { bytes, stream: source } = Body.take(response);
  const isEmpty = NULL_BODY.includes(response.status) || (source === null && (bytes === null || bytes.length === 0));
  const pairs = [...response.headers].map(([name, value]) => [name, toBytes(value)]);
  if (bytes !== null && !isEmpty && !response.headers.has("content-length")) {
    pairs.push(["content-length", toBytes(String(bytes.length))]);
  }
  const trailers = future(/^RESULT_OPTION_/);
  const body = isEmpty ? null : stream();
  const [made, sent] = wire.Response.new(wire.Fields.fromList(pairs), body?.readable ?? null, trailers.readable);
  made.setStatusCode(response.status);
  // Goes on behind the answer, while the client reads.
  during(() => write(body?.writable, bytes, source))
    .then(
      () => trailers.writable.write({ tag: "ok", val: null }),
      (error) => {
        report("the body of a response", error);
        return trailers.writable.write({ tag: "err", val: { tag: "internal-error", val: describe(error) } });
      },
    )
    .catch(() => {})
    .then(() => {
      drop(sent);
      incoming.end();
    });
  return made;
}

/** Writes the body until its end, or until nobody takes it any more. */
async function write(writable, bytes, source) {
  if (!writable) return;
  try {
    if (source === null) {
      await all(writable, bytes);
      return;
    }
    for await (const chunk of source) {
      if (!(chunk instanceof Uint8Array)) throw new TypeError("a chunk of a body is a Uint8Array");
      if (!(await all(writable, chunk))) return;
    }
  } finally {
    writable.drop();
  }
}

/** Whether all was taken. */
async function all(writable, bytes) {
  for (let at = 0; at < bytes.length; ) {
    const taken = await writable.write(at === 0 ? bytes : bytes.subarray(at));
    if (!taken) return false;
    at += taken;
  }
  return true;
}
