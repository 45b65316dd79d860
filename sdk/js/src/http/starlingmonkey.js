// HTTP for StarlingMonkey, which has a fetch event of its own and gives it to
// `wasi:http/incoming-handler` 0.2.

import { answer } from "./answer.js";

export function listen(fetch) {
  globalThis.addEventListener("fetch", (event) => event.respondWith(answer(fetch, event.request)));
}
