// Which handlers a plugin has. Its module is run here for a moment, in a thread of its
// own, with nothing behind the host's imports: just as it is run once more when the
// engine's snapshot is taken.

import { dirname } from "node:path";
import { Worker } from "node:worker_threads";
import { HOST, SDK, TEXTS, run, texts } from "./bundle.js";
import { readable } from "../src/stack.js";
import { lineTable } from "./lines.js";
import { Problem } from "./problem.js";
import { tool } from "./tools.js";

const KNOWN = ["fetch", "websocket", "attachments"];
const LOOK_MAX_MS = 10_000;

/** `{ fetch, websocket, attachments }`, true for those that are there. */
export async function handlersOf(path) {
  const { build } = await tool("esbuild", path);
  const result = await run(build, {
    stdin: { contents: `export { default } from ${JSON.stringify(path)};`, resolveDir: dirname(path), sourcefile: "holdfast-look.js" },
    bundle: true,
    write: false,
    format: "esm",
    platform: "neutral",
    mainFields: ["module", "main"],
    conditions: ["import", "holdfast"],
    loader: TEXTS,
    sourcemap: "external",
    outfile: "plugin.js",
    logLevel: "silent",
    plugins: [nothingBehind, texts],
  });
  const text = (ending) => result.outputFiles.find((file) => file.path.endsWith(ending)).text;
  const names = await look(text(".js"), lineTable(text(".js.map"), path));
  const unknown = names.filter((name) => !KNOWN.includes(name));
  if (unknown.length > 0) throw new Problem(`the default export has ${unknown.join(", ")}`, `a plugin has ${KNOWN.join(", ")}`);
  if (!names.includes("fetch") && !names.includes("websocket")) {
    throw new Problem("the plugin has no handler", "export default { fetch(request) { … } } or { websocket: { receive(connection, message) { … } } }");
  }
  return Object.fromEntries(KNOWN.map((name) => [name, names.includes(name)]));
}

const nothingBehind = {
  name: "nothing-behind",
  setup(build) {
    build.onResolve({ filter: HOST }, ({ path }) => ({ path, namespace: "host", sideEffects: false }));
    build.onLoad({ filter: /.*/, namespace: "host" }, () => ({ contents: HOLLOW, loader: "js" }));
    build.onResolve({ filter: /^holdfast$/ }, ({ kind }) => build.resolve("./index.js", { resolveDir: SDK, kind }));
  },
};

/** A module with every name, which it has from its prototype; none of them can be used yet. */
const HOLLOW = `module.exports = Object.create(new Proxy({}, {
  get: (_, name) => typeof name !== "string" || name === "__esModule" ? undefined : function () {
    throw new Error("the host is not there while a plugin is built: call " + name + " in a handler");
  },
}));`;

const RUNNER = `
const { parentPort, workerData } = require("node:worker_threads");
import(workerData).then(
  ({ default: plugin }) => parentPort.postMessage({ names: plugin && typeof plugin === "object" ? Object.keys(plugin) : [] }),
  (error) => parentPort.postMessage({ error: error instanceof Error ? (error.stack ?? String(error)) : String(error) }),
);`;

function look(code, lines) {
  const named = `${code}\n//# sourceURL=plugin.js`;
  const url = `data:text/javascript;base64,${Buffer.from(named).toString("base64")}`;
  const worker = new Worker(RUNNER, { eval: true, workerData: url, stdout: true, stderr: true });
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Problem("the plugin's module does not come to its end", "do such things in a handler")), LOOK_MAX_MS);
    worker.once("error", (error) => reject(new Problem(error.stack ?? String(error))));
    worker.once("message", ({ names, error }) => {
      clearTimeout(late);
      if (error) reject(new Problem(`the plugin's module fails: ${framesOf(error, lines)}`));
      else resolve(names);
    });
  }).finally(() => worker.terminate());
}

/** The error with the places in the author's files, without node's own. */
function framesOf(error, lines) {
  const frames = readable(error, lines).split("\n");
  return frames.filter((frame) => !/node:|host:/.test(frame)).join("\n");
}
