// A WebSocket that sends back what it hears, and a page that says hello.

export default {
  fetch(request) {
    if (new URL(request.url).pathname !== "/") return new Response("There is nothing here.\n", { status: 404 });
    return new Response("hello\n");
  },

  websocket: {
    receive(connection, message) {
      connection.send(message);
    },
  },
};
