// Request (fetch.spec.whatwg.org, section 5.4): as far as it means something without
// a browser around it.

import { AbortController } from "../events.js";
import { URL } from "../url.js";
import { Body, extract } from "./body.js";
import { Headers } from "./headers.js";

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const UPPER = ["DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"];
const FORBIDDEN = ["CONNECT", "TRACE", "TRACK"];
const REDIRECTS = ["follow", "error", "manual"];

/** A body as it is, for requests that this SDK makes. */
const PARTS = Symbol("parts");

export class Request extends Body {
  #url;
  #method;
  #headers;
  #redirect;
  #signal;

  constructor(input, init = {}) {
    const from = input instanceof Request ? input : null;
    const method = normalized(init.method ?? from?.method ?? "GET");
    const isNew = init.body !== undefined && init.body !== null;
    const noBody = method === "GET" || method === "HEAD";
    if (noBody && isNew) throw new TypeError("Request with GET/HEAD method cannot have body.");
    const parts = init[PARTS] ?? (isNew || !from ? extract(init.body) : Body.take(from));
    super(parts);
    this.#url = from ? from.url : withoutUser(String(input));
    this.#method = method;
    this.#headers = new Headers(init.headers ?? from?.headers);
    if (parts.type && !this.#headers.has("content-type")) this.#headers.append("content-type", parts.type);
    this.#redirect = init.redirect ?? from?.redirect ?? "follow";
    if (!REDIRECTS.includes(this.#redirect)) throw new TypeError(`Request constructor: ${this.#redirect} is not an accepted type.`);
    this.#signal = init.signal ?? from?.signal ?? null;
  }

  /** A request of a client, which may have any method and any body. */
  static received({ method, url, headers, parts }) {
    const request = new Request(url, { headers, [PARTS]: parts });
    request.#method = method;
    return request;
  }

  get url() {
    return this.#url;
  }

  get method() {
    return this.#method;
  }

  get headers() {
    return this.#headers;
  }

  get redirect() {
    return this.#redirect;
  }

  get signal() {
    this.#signal ??= new AbortController().signal;
    return this.#signal;
  }

  clone() {
    const { method, headers, redirect, signal } = this;
    const copy = new Request(this.#url, { headers, redirect, signal, [PARTS]: Body.copy(this) });
    copy.#method = method;
    return copy;
  }
}

function normalized(value) {
  const method = String(value);
  const upper = method.toUpperCase();
  if (!TOKEN.test(method) || FORBIDDEN.includes(upper)) throw new TypeError(`'${method}' is not a valid HTTP method.`);
  return UPPER.includes(upper) ? upper : method;
}

function withoutUser(text) {
  const url = new URL(text);
  if (url.username || url.password) throw new TypeError(`Request cannot be constructed from a URL that includes credentials: ${text}`);
  return url.href;
}
