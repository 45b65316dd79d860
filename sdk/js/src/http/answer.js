// The author's `fetch` handler, with what it throws caught: an error is reported and
// answered with 500, and the instance lives on.

import { report } from "../report.js";

export async function answer(fetch, request) {
  try {
    const response = await fetch(request);
    if (typeof response?.status === "number" && response.headers) return response;
    throw new TypeError("the fetch handler has to return a Response");
  } catch (error) {
    report("fetch", error);
    return new Response("internal error\n", { status: 500, headers: { "content-type": "text/plain; charset=utf-8" } });
  }
}
