// The two engines have different customs at the edge to the host. Whatever differs
// is here, or in a folder of one engine's own.

/* global HOLDFAST_ENGINE */
/** `quickjs` or `starlingmonkey`; the builder puts it here. */
export const ENGINE = typeof HOLDFAST_ENGINE === "undefined" ? "node" : HOLDFAST_ENGINE;

/** A number as the engine wants a `u64` or `s64`. */
export const toLong = ENGINE === "starlingmonkey" ? BigInt : Number;

/** No value of a WIT `option`, which is null in one engine and undefined in the other. */
export const NONE = ENGINE === "starlingmonkey" ? undefined : null;

/** A WIT `option` as null or its value. */
export const fromOption = (value) => value ?? null;
