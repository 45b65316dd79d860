import { toText } from "./bytes.js";
import * as connections from "./connections.js";
import * as topics from "./topics.js";

/**
 * The connection an event belongs to, with what the host keeps for it.
 *
 * It lives as long as the event. What has to outlive it goes into the attachment,
 * since the next event of the same connection may run in another instance, or in a
 * newer version of the plugin.
 */
export class Connection {
  #wire;

  constructor(wire) {
    this.#wire = wire;
  }

  get id() {
    return this.#wire.id;
  }

  /** The attachment as it was when the event began. */
  get attachment() {
    return this.#wire.attachment;
  }

  get attachmentText() {
    return toText(this.#wire.attachment);
  }

  get attachmentJson() {
    return JSON.parse(this.attachmentText);
  }

  get attachmentVersion() {
    return Number(this.#wire.attachmentVersion);
  }

  get bufferedBytes() {
    return Number(this.#wire.bufferedBytes);
  }

  send(message) {
    return connections.send(this.id, message);
  }

  close(code, reason) {
    connections.close(this.id, code, reason);
  }

  setAttachment(attachment, expected) {
    return connections.setAttachment(this.id, attachment, expected);
  }

  subscribe(topic) {
    topics.subscribe(this.id, topic);
  }

  unsubscribe(topic) {
    topics.unsubscribe(this.id, topic);
  }
}
