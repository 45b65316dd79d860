// The engine's own fetch, where a program uses it. Named in a way that the builder does
// not take for a use of this very function.

export const fetch = (input, init) => Reflect.get(globalThis, "fetch")(input, init);
