// The engine's own fetch. What is in this module is in a component only if its code
// sends requests.

export const fetch = (input, init) => globalThis["fetch"](input, init);
