// The standard globals which QuickJS lacks. The builder puts each where a program
// names it, and leaves the others, and what they import, out of the component.

export { TextDecoder, TextEncoder } from "./encoding.js";
export { clearImmediate, clearInterval, clearTimeout, setImmediate, setInterval, setTimeout } from "./timers.js";
export { console } from "./console.js";
export { crypto, mathRandom as __holdfast_random } from "./crypto.js";
export { structuredClone } from "./structured-clone.js";
export { AbortController, AbortSignal, Event, EventTarget } from "./events.js";
export { ReadableStream } from "./streams.js";
export { URL, URLSearchParams } from "./url.js";
export { Headers } from "./fetch/headers.js";
export { Request } from "./fetch/request.js";
export { Response } from "./fetch/response.js";
export { fetch } from "./fetch/fetch.js";
