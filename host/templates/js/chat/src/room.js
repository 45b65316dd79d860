// A room: who is in it and what was said, all of it kept by the host.

import { keyvalue, topics } from "holdfast";

/** A nickname and a text, in characters. */
const NICK_LEN_MAX = 24;
const TEXT_LEN_MAX = 1000;
/** Messages which are kept for those who come later. */
const HISTORY_LEN_MAX = 50;

const decoder = new TextDecoder();

export class Room {
  constructor(name) {
    this.name = name;
    this.key = `rooms/${name}`;
  }

  /** Lets somebody in, or says why not. */
  join(connection, nick) {
    if (nick === "" || [...nick].length > NICK_LEN_MAX) return "a nickname has 1 to 24 characters";
    if (this.members().includes(nick)) return "somebody here has this nickname";
    connection.setAttachment(JSON.stringify({ room: this.name, nick }));
    connection.subscribe(this.key);
    const welcome = { type: "welcome", nick, members: this.members(), messages: this.history() };
    connection.send(JSON.stringify(welcome));
    this.publish({ type: "joined", nick }, connection.id);
  }

  /** Says something to everybody here and keeps it, or says why not. */
  say(nick, text) {
    if (text === "" || [...text].length > TEXT_LEN_MAX) return "a text has 1 to 1000 characters";
    let said;
    keyvalue.open().update(this.key, (bytes) => {
      const history = read(bytes);
      said = { id: (history.at(-1)?.id ?? 0) + 1, nick, text };
      return JSON.stringify([...history, said].slice(-HISTORY_LEN_MAX));
    });
    this.publish({ type: "message", ...said });
  }

  leave(nick) {
    this.publish({ type: "left", nick });
  }

  members() {
    const visitors = topics.subscribers(this.key).map(({ attachment }) => JSON.parse(decoder.decode(attachment)));
    return visitors.flatMap(({ nick }) => nick ?? []).sort();
  }

  history() {
    return read(keyvalue.open().get(this.key));
  }

  publish(message, except) {
    topics.publish(this.key, JSON.stringify(message), { except });
  }
}

/** What can't be read was written by other code, and is given up. */
function read(bytes) {
  try {
    return bytes ? JSON.parse(decoder.decode(bytes)) : [];
  } catch {
    return [];
  }
}
