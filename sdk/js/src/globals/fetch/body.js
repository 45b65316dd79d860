// The bodies of requests and responses (fetch.spec.whatwg.org, section 5.2).

import { TextDecoder, TextEncoder } from "../encoding.js";
import { ReadableStream } from "../streams.js";
import { URLSearchParams } from "../url/params.js";

const encoder = /* @__PURE__ */ new TextEncoder();

/** What a body is made of: `bytes` or a `stream`, and its content type, if it has one. */
export function extract(init) {
  if (init === undefined || init === null) return { bytes: null, stream: null, type: null };
  if (init instanceof ReadableStream) {
    if (init.locked || ReadableStream.isDisturbed(init)) throw new TypeError("Response body object should not be disturbed or locked");
    return { bytes: null, stream: init, type: null };
  }
  if (init instanceof ArrayBuffer) return { bytes: new Uint8Array(init.slice(0)), stream: null, type: null };
  if (ArrayBuffer.isView(init)) {
    const view = new Uint8Array(init.buffer, init.byteOffset, init.byteLength);
    return { bytes: view.slice(), stream: null, type: null };
  }
  if (init instanceof URLSearchParams) {
    return { bytes: encoder.encode(String(init)), stream: null, type: "application/x-www-form-urlencoded;charset=UTF-8" };
  }
  if (typeof init[Symbol.asyncIterator] === "function") return { bytes: null, stream: ReadableStream.from(init), type: null };
  return { bytes: encoder.encode(String(init)), stream: null, type: "text/plain;charset=UTF-8" };
}

export class Body {
  #bytes;
  #stream;
  #used = false;

  constructor({ bytes, stream }) {
    this.#bytes = bytes;
    this.#stream = stream;
  }

  get body() {
    if (this.#stream === null && this.#bytes !== null) {
      const bytes = this.#bytes;
      this.#bytes = null;
      this.#stream = new ReadableStream({
        start(controller) {
          if (bytes.length > 0) controller.enqueue(bytes);
          controller.close();
        },
      });
    }
    return this.#stream;
  }

  get bodyUsed() {
    return this.#used || (this.#stream !== null && ReadableStream.isDisturbed(this.#stream));
  }

  async bytes() {
    const { bytes, stream } = Body.take(this);
    if (stream === null) return bytes ?? new Uint8Array(0);
    const chunks = [];
    for await (const chunk of stream) {
      if (!(chunk instanceof Uint8Array)) throw new TypeError("Received non-Uint8Array chunk");
      chunks.push(chunk);
    }
    return joined(chunks);
  }

  async arrayBuffer() {
    const bytes = await this.bytes();
    return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  }

  async text() {
    return new TextDecoder().decode(await this.bytes());
  }

  async json() {
    return JSON.parse(await this.text());
  }

  /** Uses the body up: what it is made of. */
  static take(owner) {
    if (owner.bodyUsed || owner.#stream?.locked) throw new TypeError("Body is unusable: Body has already been read");
    if (owner.#bytes !== null || owner.#stream !== null) owner.#used = true;
    return { bytes: owner.#bytes, stream: owner.#stream };
  }

  /** The same body for a copy of the owner. */
  static copy(owner) {
    if (owner.bodyUsed || owner.#stream?.locked) throw new TypeError("Body is unusable: Body has already been read");
    if (owner.#stream === null) return { bytes: owner.#bytes, stream: null };
    const [one, other] = owner.#stream.tee();
    owner.#stream = one;
    return { bytes: null, stream: other };
  }
}

function joined(chunks) {
  if (chunks.length === 1) return chunks[0];
  const all = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}
