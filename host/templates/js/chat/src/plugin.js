// A chat. `/rooms/NAME` is a room: its page, and the WebSocket of that page. A text posted
// to it appears on every page.
//
// All state is in the host: the attachment says who a connection is, a topic says who is
// in a room, the key-value store has the last messages. So new code can take over at any
// moment, under open sockets.

import page from "./page.html";
import { Room } from "./room.js";

/** A posted text, in characters. */
const POST_LEN_MAX = 4000;

export default {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    const isRead = request.method === "GET" || request.method === "HEAD";
    if (pathname === "/" && isRead) return new Response(null, { status: 303, headers: { location: "/rooms/lobby" } });
    const name = roomOf(pathname);
    if (name && isRead) return new Response(page, { headers: { "content-type": "text/html; charset=utf-8" } });
    if (!name || request.method !== "POST") return answer(404, "Rooms are at /rooms/NAME.\n");
    const text = (await request.text()).trim();
    const problem = text.length > POST_LEN_MAX ? "that is too long" : new Room(name).say("guest", text);
    return problem ? answer(400, problem) : answer(201, "It was said.\n");
  },

  websocket: {
    accept(handshake) {
      const room = roomOf(handshake.path);
      return room ? { attachment: JSON.stringify({ room }) } : answer(404, "rooms are at /rooms/NAME");
    },

    receive(connection, message) {
      const visitor = connection.attachmentJson;
      const problem = react(connection, new Room(visitor.room), visitor.nick, message);
      if (problem) connection.send(JSON.stringify({ type: "error", text: problem }));
    },

    close(connection) {
      const { room, nick } = connection.attachmentJson;
      if (nick) new Room(room).leave(nick);
    },
  },
};

/** Does what a page asks, or says what is wrong with it. */
function react(connection, room, nick, message) {
  const { type, ...said } = parsed(message);
  if (type === "join" && typeof said.nick === "string" && !nick) return room.join(connection, said.nick.trim());
  if (type === "say" && typeof said.text === "string" && nick) return room.say(nick, said.text.trim());
  if (type === "join" || type === "say") return "join once, then say something";
  return "a message is JSON: a `join` or a `say`";
}

function parsed(message) {
  try {
    return Object(JSON.parse(message));
  } catch {
    return {};
  }
}

function answer(status, text) {
  return new Response(text, { status, headers: { "content-type": "text/plain; charset=utf-8" } });
}

/** The room's name in `/rooms/NAME`. */
export function roomOf(path) {
  return /^\/rooms\/([A-Za-z0-9_-]{1,64})$/.exec(path)?.[1];
}
