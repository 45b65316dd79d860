// What the host keeps, in memory. All modules of a test see one.

const ATTACHMENT_BYTES_MAX = 4096;
const MESSAGE_BYTES_MAX = 1 << 20;

/** An error as the engines have it for a WIT `result`. */
export function refuse(tag, val) {
  throw Object.assign(new Error(tag), { payload: val === undefined ? { tag } : { tag, val } });
}

class Host {
  constructor() {
    this.reset();
  }

  /** Forgets everything. */
  reset() {
    this.connections = new Map();
    this.stores = new Map([["default", new Map()]]);
    this.config = {};
    this.lines = [];
    this.output = "";
  }

  /** Opens a connection, and returns it as the WIT record. */
  open({ id = `connection-${this.connections.size + 1}`, attachment = new Uint8Array(0), topics = [] } = {}) {
    const bytes = typeof attachment === "string" ? new TextEncoder().encode(attachment) : attachment;
    this.connections.set(id, { attachment: bytes, version: 0, topics: new Set(topics), sent: [], closed: null });
    return this.wire(id);
  }

  wire(id) {
    const { attachment, version } = this.connections.get(id);
    return { id, attachment, attachmentVersion: version, bufferedBytes: 0 };
  }

  /** What was sent to a connection. */
  sent(id) {
    return this.connections.get(id).sent;
  }

  find(id) {
    const connection = this.connections.get(id);
    return connection?.closed === null ? connection : undefined;
  }

  send(id, message) {
    const connection = this.find(id) ?? refuse("gone");
    if (message.val.length > MESSAGE_BYTES_MAX) refuse("too-large", MESSAGE_BYTES_MAX);
    connection.sent.push(message.val);
    return message.val.length;
  }

  setAttachment(id, attachment, expected) {
    const connection = this.find(id) ?? refuse("gone");
    if (attachment.length > ATTACHMENT_BYTES_MAX) refuse("too-large", ATTACHMENT_BYTES_MAX);
    if (expected !== null && expected !== connection.version) refuse("conflict", connection.version);
    connection.attachment = attachment;
    return ++connection.version;
  }

  subscribers(topic) {
    return [...this.connections].filter(([id, { topics }]) => this.find(id) && topics.has(topic));
  }
}

// The loader may have this module twice, by two names.
export const host = (globalThis[Symbol.for("holdfast.testing.host")] ??= new Host());
