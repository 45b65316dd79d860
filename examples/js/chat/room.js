// A room: who is in it and what was said, all of it kept by the host.

import { HostError, connections, keyvalue, topics } from "holdfast";
import { Problem } from "./problem.js";
import { checkKey, checkNick, checkText, sameNick } from "./protocol.js";

const MEMBERS_MAX = 500;
const HISTORY_LEN_MAX = 50;
/** The close code of a connection whose place its own client has taken again. */
const REPLACED = 4000;

/**
 * An attachment: the room, the nickname and the key, on a line each; only the room
 * before `join`.
 * @param {{ room: string, nick?: string, key?: string }} visitor
 */
export function visitorText({ room, nick, key }) {
  return nick === undefined ? room : `${room}\n${nick}\n${key}`;
}

export function visitorOf(text) {
  const [room, nick, key = ""] = text.split("\n");
  return { room, nick, key };
}

const decoder = new TextDecoder();

export class Room {
  constructor(name) {
    this.name = name;
    this.key = `rooms/${name}`;
  }

  /** Lets somebody in, who first takes a place in the topic and then looks who else is there. */
  join(connection, message) {
    const member = { room: this.name, nick: checkNick(message.nick), key: checkKey(message.key) };
    connection.setAttachment(visitorText(member));
    connection.subscribe(this.key);
    try {
      this.settle(connection, member);
    } catch (error) {
      this.forget(connection.id);
      throw error;
    }
  }

  settle(connection, { nick, key }) {
    const others = this.visitors().filter((other) => other.id !== connection.id);
    const holder = others.find((other) => sameNick(other.nick, nick));
    if (holder && (key === "" || key !== holder.key)) throw new Problem("nick-taken");
    if (!holder && topics.count(this.key) > MEMBERS_MAX) throw new Problem("room-full");
    if (holder) this.replace(holder.id);
    this.tell(connection, { type: "welcome", room: this.name, nick, members: this.members(), messages: this.history() });
    if (!holder) this.publish({ type: "joined", nick, time: Date.now() }, connection.id);
  }

  replace(id) {
    this.forget(id);
    ignoreGone(() => connections.close(id, REPLACED, "replaced by a newer connection"));
  }

  /** Makes a connection that of somebody who has not joined. */
  forget(id) {
    topics.unsubscribe(id, this.key);
    ignoreGone(() => connections.setAttachment(id, visitorText({ room: this.name })));
  }

  leave(nick) {
    this.publish({ type: "left", nick, time: Date.now() });
  }

  /** It is kept before it is published, so that nobody who comes in between misses it. */
  say(nick, value) {
    const text = checkText(value);
    const time = Date.now();
    let message;
    keyvalue.open("default").update(this.key, (bytes) => {
      const { count, messages } = read(bytes);
      message = { id: count + 1, nick, text, time };
      return JSON.stringify({ count: count + 1, messages: [...messages, message].slice(-HISTORY_LEN_MAX) });
    });
    this.publish({ type: "message", ...message });
    return message;
  }

  /** For somebody without a connection, who must not take the name of a member. */
  sayFromOutside(post) {
    const nick = checkNick(post.nick);
    if (this.members().some((member) => sameNick(member, nick))) throw new Problem("nick-taken");
    return this.say(nick, post.text);
  }

  visitors() {
    const visitors = topics.subscribers(this.key).map(({ connection, attachment }) => ({
      id: connection,
      ...visitorOf(decoder.decode(attachment)),
    }));
    return visitors.filter((visitor) => visitor.nick !== undefined);
  }

  members() {
    const order = (one, other) => (one.toLowerCase() < other.toLowerCase() ? -1 : 1);
    return this.visitors().map((visitor) => visitor.nick).sort(order);
  }

  history() {
    return read(keyvalue.open("default").get(this.key)).messages;
  }

  publish(message, except) {
    topics.publish(this.key, JSON.stringify(message), { except });
  }

  tell(connection, message) {
    ignoreGone(() => connection.send(JSON.stringify(message)));
  }
}

/** What can't be read counts as empty: losing the past is better than losing the room. */
function read(bytes) {
  try {
    const { count, messages } = JSON.parse(decoder.decode(bytes));
    return { count, messages };
  } catch {
    return { count: 0, messages: [] };
  }
}

/** A connection that is gone needs nothing any more. */
function ignoreGone(action) {
  try {
    action();
  } catch (error) {
    if (!(error instanceof HostError) || error.code !== "gone") throw error;
  }
}
