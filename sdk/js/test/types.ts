// Uses what the declarations declare, so that `tsc` checks them.

import { type Plugin, HostError, config, connections, keyvalue, log, print, sleep, topics } from "holdfast";
import { connection, handshake, host } from "holdfast/testing";

const plugin: Plugin = {
  async fetch(request) {
    const { searchParams } = new URL(request.url);
    const body: { name?: string } = request.method === "POST" ? await request.json() : {};
    const upstream = await fetch("http://example.org/", { headers: { accept: "text/plain" }, signal: AbortSignal.timeout(1000) });
    if (!upstream.ok) return Response.json({ error: upstream.status }, { status: 502 });
    const stream = new ReadableStream<Uint8Array>({
      async pull(controller) {
        await sleep(10);
        controller.enqueue(new TextEncoder().encode(searchParams.get("x") ?? body.name));
        controller.close();
      },
    });
    return new Response(stream, { headers: [["a", "b"]] });
  },
  websocket: {
    accept(request) {
      if (request.header("cookie") === null) return new Response("no", { status: 403 });
      return { attachment: request.path, topics: ["all"], subprotocol: request.subprotocols[0] };
    },
    open: (own) => void own.send("hello"),
    async receive(own, message) {
      if (typeof message === "string") own.setAttachment(message.toUpperCase(), own.attachmentVersion);
      else log.info("%d bytes", message.length);
      const { queued } = topics.publish("all", message, { except: own.id });
      keyvalue.open().update("count", (bytes) => String(queued + (bytes?.length ?? 0)));
    },
    close(own, { cause, code }) {
      if (cause === "connection-lost") print(`${own.id} ${code} ${config.get("greeting") ?? ""}`);
    },
  },
  attachments: { format: "2", migrate: (from, attachment) => (from === "" ? attachment : "") },
};

export default plugin;

// What does not fit has to be an error.
// @ts-expect-error: there is no such handler
export const unknown: Plugin = { websocket: { message() {} } };
// @ts-expect-error: a number is no message
export const wrong = () => connections.send("id", 1);
// @ts-expect-error: a response is wanted
export const text: Plugin = { fetch: () => "text" };

export const tested = (): boolean => {
  const own = connection({ attachment: "a" });
  plugin.websocket?.receive?.(own, "x");
  return host.sent(own.id).length > 0 || handshake({ path: "/" }).path === "/" || new HostError("gone", null, "").code === "gone";
};
