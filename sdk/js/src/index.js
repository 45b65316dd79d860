// What the author of a plugin imports. Each module is taken into a component only
// if its names are used, and so are the imports of the host behind it.

export * as config from "./config.js";
export * as connections from "./connections.js";
export * as keyvalue from "./keyvalue.js";
export * as log from "./log.js";
export * as topics from "./topics.js";
export { Connection } from "./connection.js";
export { Handshake } from "./handshake.js";
export { HostError } from "./error.js";
export { print } from "./output.js";
export { sleep } from "./time.js";
