import { toText } from "./bytes.js";

/**
 * An opening handshake (RFC 6455, section 4.2.1) which the host has found to be well
 * formed and about which the plugin has to decide.
 */
export class Handshake {
  #wire;

  constructor(wire) {
    this.#wire = wire;
  }

  /** The id which the connection will have if it is accepted. */
  get id() {
    return this.#wire.id;
  }

  /** The whole URL, with `http` or `https`. */
  get url() {
    return `${this.#wire.scheme}://${this.#wire.authority}${this.#wire.pathWithQuery}`;
  }

  /** The path as the client sent it, still percent-encoded. */
  get path() {
    return this.#wire.pathWithQuery.split("?", 1)[0];
  }

  /** The query as the client sent it, without the question mark; empty for none. */
  get query() {
    return this.#wire.pathWithQuery.slice(this.path.length + 1);
  }

  /** The query, decoded. */
  get searchParams() {
    return new URLSearchParams(this.query);
  }

  /** All header fields. */
  get headers() {
    return new Headers(this.#wire.headers.map(({ name, value }) => [name, toText(value)]));
  }

  /** The values of a header field, joined by a comma; null if it is not there. */
  header(name) {
    const wanted = name.toLowerCase();
    const found = this.#wire.headers.filter((field) => field.name === wanted);
    return found.length === 0 ? null : found.map((field) => toText(field.value)).join(", ");
  }

  /** The subprotocols the client offers, best first. */
  get subprotocols() {
    return this.#wire.subprotocols;
  }

  /** Address of the client, `ADDRESS:PORT`. */
  get remoteAddress() {
    return this.#wire.remoteAddress;
  }
}
