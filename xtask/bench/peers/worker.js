// workerd: a greeting, bodies that stream back, and, in a Durable Object with the
// hibernation API, an echo and fan-out.

import { DurableObject } from "cloudflare:workers";

export class Room extends DurableObject {
  async fetch(request) {
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server, [new URL(request.url).pathname]);
    return new Response(null, { status: 101, webSocket: client });
  }

  async webSocketMessage(socket, message) {
    if (this.ctx.getTags(socket)[0] === "/publish") {
      for (const subscriber of this.ctx.getWebSockets("/subscribe")) subscriber.send(message);
    } else {
      socket.send(message);
    }
  }
}

export default {
  async fetch(request, env) {
    if (request.headers.get("upgrade")) {
      return env.ROOM.get(env.ROOM.idFromName("all")).fetch(request);
    }
    const { pathname } = new URL(request.url);
    return new Response(pathname === "/echo" ? request.body : "hello");
  },
};
