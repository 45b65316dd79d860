// Resolves the host's imports to the host in memory.

const PLACES = [
  [/^holdfast:websocket\/connections@/, "./fake/connections.js"],
  [/^holdfast:websocket\/topics@/, "./fake/topics.js"],
  [/^wasi:keyvalue\/store@/, "./fake/store.js"],
  [/^wasi:keyvalue\/atomics@/, "./fake/atomics.js"],
  [/^wasi:keyvalue\/batch@/, "./fake/batch.js"],
  [/^wasi:config\/store@/, "./fake/config.js"],
  [/^wasi:logging\/logging@/, "./fake/logging.js"],
  [/^wasi:cli\/stdout@/, "./fake/stdout.js"],
  [/^wasi:clocks\/monotonic-clock@/, "./fake/clock.js"],
  [/^wasi:random\/random@/, "./fake/random.js"],
];

const TEXTS = /\.(html|css|md|svg|txt)$/;

export async function resolve(specifier, context, next) {
  const found = PLACES.find(([name]) => name.test(specifier));
  if (found) return { url: new URL(found[1], import.meta.url).href, shortCircuit: true };
  return next(specifier, context);
}

/** Files that are texts in a plugin are texts here. */
export async function load(url, context, next) {
  const isText = url.endsWith("?text") || TEXTS.test(new URL(url).pathname);
  if (!isText || !url.startsWith("file:")) return next(url, context);
  const { readFile } = await import("node:fs/promises");
  const text = await readFile(new URL(url.replace(/\?text$/, "")), "utf8");
  return { format: "module", source: `export default ${JSON.stringify(text)};`, shortCircuit: true };
}
