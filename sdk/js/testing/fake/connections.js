import { host, refuse } from "../host.js";

const CODES = (code) => [1000, 1001, 1003].includes(code) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);

export const send = (id, message) => host.send(id, message);

export function close(id, code, reason) {
  const connection = host.find(id) ?? refuse("gone");
  if (!CODES(code)) refuse("invalid-code");
  if (Buffer.byteLength(reason) > 123) refuse("reason-too-long");
  connection.closed = { code, reason };
}

export function get(id) {
  const connection = host.find(id);
  return connection ? { attachment: connection.attachment, attachmentVersion: connection.version, bufferedBytes: 0 } : null;
}

export const setAttachment = (id, attachment, expected) => host.setAttachment(id, attachment, expected);
