// Named groups of connections within the tenant. The host does the fan-out.

import * as host from "holdfast:websocket/topics@0.1.0";
import { NONE } from "./engine.js";
import { call } from "./error.js";
import { toWire } from "./message.js";

/** The most subscribers that one call lists. */
export const SUBSCRIBERS_MAX = 1000;

const SUBSCRIBE = {
  gone: "the connection is gone",
  "too-many": (count) => `it has ${count} topics already`,
  "invalid-name": (bytes) => `a topic's name has 1 to ${bytes} bytes`,
};

const PUBLISH = {
  "too-large": (bytes) => `the message is over ${bytes} bytes`,
};

export function subscribe(connection, topic) {
  call(SUBSCRIBE, () => host.subscribe(connection, topic));
}

export function unsubscribe(connection, topic) {
  host.unsubscribe(connection, topic);
}

export function publish(topic, message, { except } = {}) {
  const wire = toWire(message);
  const { queued, full } = call(PUBLISH, () => host.publish(topic, wire, except ?? NONE));
  return { queued, full };
}

export function count(topic) {
  return host.count(topic);
}

export function subscribers(topic, limit = SUBSCRIBERS_MAX) {
  return host.subscribers(topic, limit);
}
