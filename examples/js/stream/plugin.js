// A response that goes on: server-sent events, one every now and then, until there are
// enough or the client is gone.

import { sleep } from "holdfast";

const PAUSE_MS = 100;

export default {
  fetch(request) {
    const { searchParams } = new URL(request.url);
    const count = Number(searchParams.get("count") ?? Infinity);
    const pause = Number(searchParams.get("pause") ?? PAUSE_MS);
    if (!(count >= 0) || !(pause >= 0)) return new Response("count and pause are numbers\n", { status: 400 });
    const headers = { "content-type": "text/event-stream", "cache-control": "no-store" };
    return new Response(events(count, pause), { headers });
  },
};

function events(count, pause) {
  const encoder = new TextEncoder();
  let sent = 0;
  return new ReadableStream({
    async pull(controller) {
      if (sent === count) return controller.close();
      if (sent > 0) await sleep(pause);
      controller.enqueue(encoder.encode(`data: ${sent}\n\n`));
      sent += 1;
    },
  });
}
