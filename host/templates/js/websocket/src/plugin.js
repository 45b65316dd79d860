// WebSocket events, and a page to try them. Open the URL that `holdfast dev` prints, say
// something, change `answer` below, and save: the socket stays open, and the next message
// is answered by the new code.

import page from "./page.html";

export default {
  fetch() {
    return new Response(page, { headers: { "content-type": "text/html; charset=utf-8" } });
  },

  websocket: {
    open(connection) {
      connection.send("Hello! Say something.");
    },

    receive(connection, message) {
      // Whatever is to be there at the next message is in the attachment, which the
      // host keeps: this code may be another by then.
      const count = Number(connection.attachmentText) + 1;
      connection.setAttachment(String(count));
      connection.send(typeof message === "string" ? answer(count, message) : message);
    },
  },
};

function answer(count, text) {
  return `${count}: you said ${text}`;
}
