// Waiting. For the time of day, `Date.now()` works as usual.

/** Waits so many milliseconds. The wait counts towards the event's deadline. */
export function sleep(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
