// The HTTP half: one command for each path.

import { HostError, config, connections, keyvalue, sleep, topics } from "holdfast";
import { fetched } from "./socket.js";

const PIECE = 65536;

export function http(request) {
  const url = new URL(request.url);
  const [, name, argument = ""] = url.pathname.split("/").map(decodeURIComponent);
  const command = Object.hasOwn(commands, name) ? commands[name] : null;
  return command ? command({ request, url, argument }) : text("no such command", 404);
}

const text = (body, status = 200) => new Response(body, { status, headers: { "content-type": "text/plain" } });

const commands = {
  hello: () => text("hello"),
  echo: ({ request }) => new Response(request.body, { headers: { "content-type": request.headers.get("content-type") ?? "" } }),
  method: ({ request }) => text(request.method),
  head: ({ request }) => text([...request.headers].map(([name, value]) => `${name}: ${value}`).sort().join("\n")),
  query: ({ url }) => text(url.search.slice(1)),
  status: ({ argument }) => new Response(null, { status: Number(argument) }),
  large: ({ argument }) => new Response(pieces(Number(argument)), { headers: { "content-type": "text/plain" } }),
  events: ({ argument }) => new Response(events(Number(argument)), { headers: { "content-type": "text/event-stream" } }),
  increment: ({ argument }) => text(String(keyvalue.open("default").increment(argument, 1))),
  async publish({ request, argument }) {
    const { queued, full } = topics.publish(argument, await request.text());
    return text(`queued ${queued} full ${full}`);
  },
  async send({ request, argument }) {
    const message = await request.text();
    try {
      connections.send(argument, message);
      return text("queued");
    } catch (error) {
      if (error instanceof HostError) return text(error.code);
      throw error;
    }
  },
  config: ({ argument }) => text(config.get(argument) ?? "none"),
  fetch: async ({ url }) => text(await fetched(url.searchParams.get("url"))),
  async sleep({ argument }) {
    await sleep(Number(argument));
    return text("slept");
  },
  fail() {
    throw new Error("told to fail");
  },
  trap() {
    throw new Error("told to trap");
  },
};

/** A body of so many bytes, without ever having all of them. */
function pieces(length) {
  let left = length;
  return new ReadableStream({
    pull(controller) {
      if (left === 0) return controller.close();
      const count = Math.min(left, PIECE);
      left -= count;
      controller.enqueue(new Uint8Array(count).fill("x".charCodeAt(0)));
    },
  });
}

function events(count) {
  const encoder = new TextEncoder();
  let sent = 0;
  return new ReadableStream({
    pull(controller) {
      if (sent === count) return controller.close();
      controller.enqueue(encoder.encode(`data: ${sent}\n\n`));
      sent += 1;
    },
  });
}
