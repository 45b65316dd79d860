// Node with ws: a greeting, bodies that stream back, an echo, and fan-out.

import { createServer } from "node:http";
import { WebSocketServer } from "ws";

const server = createServer((request, response) => {
  if (request.url === "/echo") {
    request.pipe(response);
  } else {
    response.end("hello");
  }
});

// Nobody in the comparison compresses.
const sockets = new WebSocketServer({ server, perMessageDeflate: false });
const subscribers = new Set();

sockets.on("connection", (socket, request) => {
  socket.on("error", () => {});
  if (request.url === "/subscribe") {
    subscribers.add(socket);
    socket.on("close", () => subscribers.delete(socket));
  } else if (request.url === "/publish") {
    socket.on("message", (data, isBinary) => {
      for (const subscriber of subscribers) subscriber.send(data, { binary: isBinary });
    });
  } else {
    socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
  }
});

server.listen(Number(process.argv[2]), "127.0.0.1");
