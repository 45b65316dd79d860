// Streams and futures of the component model, as QuickJS has them.

/* global wit */

/** A pair of ends for bytes. */
export function stream() {
  return wit.Stream(wit.Stream.U8);
}

/** A pair of ends of the first kind of future whose name fits. */
export function future(name) {
  const kind = Object.keys(wit.Future.types).find((key) => name.test(key));
  return wit.Future(wit.Future.types[kind]);
}

/**
 * A ReadableStream of the bytes that `begin` gets; it is called when somebody reads.
 * It returns `contents`, and `end`, which is called when the last byte was read.
 */
export function received(begin) {
  let begun = null;
  const end = async () => {
    begun.contents.drop();
    await begun.end();
  };
  return new ReadableStream(
    {
      async pull(controller) {
        begun ??= begin();
        const { value, done } = await begun.contents.next();
        if (!done) return controller.enqueue(value);
        controller.close();
        await end();
      },
      async cancel() {
        if (begun) await end();
      },
    },
    { highWaterMark: 0 },
  );
}
