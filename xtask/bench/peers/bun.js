// Bun: a greeting, bodies that stream back, an echo, and fan-out by its own
// topics.

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: Number(process.argv[2]),
  fetch(request, server) {
    const { pathname } = new URL(request.url);
    if (request.headers.get("upgrade")) {
      return server.upgrade(request, { data: { pathname } })
        ? undefined
        : new Response("no upgrade", { status: 400 });
    }
    return new Response(pathname === "/echo" ? request.body : "hello");
  },
  websocket: {
    perMessageDeflate: false,
    open(socket) {
      if (socket.data.pathname === "/subscribe") socket.subscribe("all");
    },
    message(socket, message) {
      if (socket.data.pathname === "/publish") server.publish("all", message);
      else socket.send(message);
    },
  },
});
