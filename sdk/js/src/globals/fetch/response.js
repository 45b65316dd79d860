// Response (fetch.spec.whatwg.org, section 5.5).

import { Body, extract } from "./body.js";
import { Headers } from "./headers.js";
import { URL } from "../url.js";

const NULL_BODY = [101, 103, 204, 205, 304];
const REDIRECT = [301, 302, 303, 307, 308];

/** What only this SDK sets. */
const INTERNAL = Symbol("internal");

export class Response extends Body {
  #status;
  #statusText;
  #headers;
  #url = "";
  #redirected = false;
  #type = "default";

  constructor(body = null, init = {}) {
    const { status = 200, statusText = "", headers } = init ?? {};
    const internal = init?.[INTERNAL];
    const code = Number(status);
    if (!internal && !(Number.isInteger(code) && code >= 200 && code <= 599)) {
      throw new RangeError(`init["status"] must be in the range of 200 to 599, inclusive.`);
    }
    const parts = internal?.parts ?? extract(body);
    const isEmpty = parts.bytes === null && parts.stream === null;
    if (!internal && NULL_BODY.includes(code) && !isEmpty) throw new TypeError(`Response constructor: Invalid response status code ${code}`);
    super(parts);
    this.#status = code;
    this.#statusText = String(statusText);
    this.#headers = new Headers(headers);
    if (parts.type && !this.#headers.has("content-type")) this.#headers.append("content-type", parts.type);
    this.#url = internal?.url ?? "";
    this.#redirected = internal?.redirected ?? false;
    this.#type = internal?.type ?? "default";
  }

  /** The answer of a server. */
  static received({ status, headers, parts, url, redirected = false }) {
    return new Response(null, { status, headers, [INTERNAL]: { parts, url, redirected, type: "basic" } });
  }

  static error() {
    return new Response(null, { status: 0, [INTERNAL]: { parts: extract(null), type: "error" } });
  }

  static json(data, init = {}) {
    const text = JSON.stringify(data);
    if (text === undefined) throw new TypeError("Value is not JSON serializable");
    const response = new Response(text, init);
    if (!new Headers(init?.headers).has("content-type")) response.headers.set("content-type", "application/json");
    return response;
  }

  static redirect(url, status = 302) {
    if (!REDIRECT.includes(status)) throw new RangeError("Invalid status code");
    return new Response(null, { status, headers: { location: new URL(url).href } });
  }

  get status() {
    return this.#status;
  }

  get ok() {
    return this.#status >= 200 && this.#status <= 299;
  }

  get statusText() {
    return this.#statusText;
  }

  get headers() {
    return this.#headers;
  }

  get url() {
    return this.#url;
  }

  get redirected() {
    return this.#redirected;
  }

  get type() {
    return this.#type;
  }

  clone() {
    const { status, statusText, headers, url, redirected, type } = this;
    return new Response(null, { status, statusText, headers, [INTERNAL]: { parts: Body.copy(this), url, redirected, type } });
  }
}
