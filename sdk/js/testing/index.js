// A host in memory, for tests of plugins with `node --test`. With
//
//   node --import holdfast/testing --test
//
// the module `holdfast` works in node, and `host` shows what a plugin did.

import { register } from "node:module";
import { host } from "./host.js";

register("./hooks.js", import.meta.url);
const { Connection, Handshake } = await import("../src/index.js");

export { host };

/** A connection as an event has it. */
export function connection(options) {
  return new Connection(host.open(options));
}

/** A handshake as `accept` has it. */
export function handshake({ path = "/", headers = {}, subprotocols = [], ...rest } = {}) {
  const fields = Object.entries(headers).map(([name, value]) => ({ name: name.toLowerCase(), value: new TextEncoder().encode(value) }));
  const wire = { id: "handshake", scheme: "http", authority: "localhost", remoteAddress: "192.0.2.1:4711", ...rest };
  return new Handshake({ ...wire, pathWithQuery: path, headers: fields, subprotocols });
}
