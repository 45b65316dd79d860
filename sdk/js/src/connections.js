// Connections of the tenant, by id, from any handler, HTTP included. Every function
// returns at once. An id of another tenant is answered like one that never was.

import * as host from "holdfast:websocket/connections@0.1.0";
import { toBytes } from "./bytes.js";
import { NONE, fromOption, toLong } from "./engine.js";
import { call } from "./error.js";
import { toWire } from "./message.js";

const GONE = "the connection is gone";

const SEND = {
  gone: GONE,
  full: (bytes) => `its queue is full, with ${bytes} bytes`,
  "too-large": (bytes) => `the message is over ${bytes} bytes`,
};

const CLOSE = {
  gone: GONE,
  "invalid-code": "an endpoint may not send this close code",
  "reason-too-long": "the reason for closing is over 123 bytes",
};

const ATTACHMENT = {
  gone: GONE,
  conflict: (version) => `the attachment has changed, to version ${version}`,
  "too-large": (bytes) => `the attachment is over ${bytes} bytes`,
};

export function send(connection, message) {
  return Number(call(SEND, () => host.send(connection, toWire(message))));
}

export function close(connection, code = 1000, reason = "") {
  call(CLOSE, () => host.close(connection, code, reason));
}

export function get(connection) {
  const state = fromOption(host.get(connection));
  return (
    state && {
      attachment: state.attachment,
      attachmentVersion: Number(state.attachmentVersion),
      bufferedBytes: Number(state.bufferedBytes),
    }
  );
}

export function setAttachment(connection, attachment, expected) {
  const version = expected === undefined || expected === null ? NONE : toLong(expected);
  const bytes = toBytes(attachment);
  return Number(call(ATTACHMENT, () => host.setAttachment(connection, bytes, version)));
}
