// Chat rooms, with the protocol and the page of plugins/chat: who is in a room is a
// topic, who a connection is its attachment, and what was said a key in the store.

import { readPost, readMessage } from "./protocol.js";
import { Problem } from "./problem.js";
import { Room, visitorOf, visitorText } from "./room.js";
import { page } from "./page.js";
import { ROOM_RULE, routeOf } from "./route.js";

const BODY_BYTES_MAX = 16 << 10;

export default {
  async fetch(request) {
    const route = routeOf(new URL(request.url).pathname);
    const method = request.method === "HEAD" ? "GET" : request.method;
    const handler = handlers[`${method} ${route.name}`];
    if (handler) return handler(route, request);
    if (route.name === "bad-room") return refuse(404, ROOM_RULE);
    if (route.name === "unknown") return refuse(404, "there is nothing here");
    const allow = route.name === "messages" ? "GET, HEAD, POST" : "GET, HEAD";
    return refuse(405, "not this method", { allow });
  },

  websocket: {
    accept(handshake) {
      const route = routeOf(handshake.path);
      if (route.name === "room") return { attachment: visitorText({ room: route.room }) };
      return refuse(404, route.name === "bad-room" ? ROOM_RULE : "rooms are at /rooms/{room}");
    },

    receive(connection, frame) {
      const visitor = visitorOf(connection.attachmentText);
      const room = new Room(visitor.room);
      try {
        const message = readMessage(frame);
        const isJoin = message.type === "join";
        if (isJoin && visitor.nick !== undefined) throw new Problem("already-joined");
        if (!isJoin && visitor.nick === undefined) throw new Problem("not-joined");
        if (isJoin) room.join(connection, message);
        else room.say(visitor.nick, message.text);
      } catch (error) {
        room.tell(connection, Problem.in(error));
      }
    },

    close(connection) {
      const { room, nick } = visitorOf(connection.attachmentText);
      if (nick !== undefined) new Room(room).leave(nick);
    },
  },
};

const handlers = {
  "GET front": () => page("page.html", ""),
  "GET room": () => page("page.html", "../"),
  "GET asset": ({ file }) => page(file),
  "GET members": ({ room }) => answer({ members: new Room(room).members() }),
  "GET messages": ({ room }) => answer({ messages: new Room(room).history() }),
  async "POST messages"({ room }, request) {
    try {
      const post = readPost(await bodyOf(request), request.headers.get("content-type"));
      return answer({ type: "message", ...new Room(room).sayFromOutside(post) }, 201);
    } catch (error) {
      const problem = Problem.in(error);
      return answer(problem, problem.status);
    }
  },
};

/** The body as text, if it is one and not too long. */
async function bodyOf(request) {
  const bytes = await request.arrayBuffer();
  if (bytes.byteLength > BODY_BYTES_MAX) throw new Problem("bad-body");
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new Problem("bad-body");
  }
}

function answer(value, status = 200) {
  const headers = { "content-type": "application/json", "cache-control": "no-store" };
  return new Response(`${JSON.stringify(value)}\n`, { status, headers });
}

function refuse(status, text, headers = {}) {
  return new Response(`${text}\n`, { status, headers: { "content-type": "text/plain; charset=utf-8", ...headers } });
}
