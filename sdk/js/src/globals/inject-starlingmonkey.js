// StarlingMonkey has the standard globals. Its console is replaced, so that lines
// reach the log with their level; `fetch` is named, so that the builder sees whether
// a program sends requests.

export { console } from "./console.js";
export { fetch } from "./fetch/native.js";
