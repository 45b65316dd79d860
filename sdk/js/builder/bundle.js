// One module of the plugin, the SDK, and of the standard globals those which are used.

import { readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { lineTable } from "./lines.js";
import { Problem } from "./problem.js";
import { tool } from "./tools.js";

export const SDK = join(dirname(fileURLToPath(import.meta.url)), "..", "src");

/** What the host provides: `wasi:…` and `holdfast:…`. */
export const HOST = /^(wasi|holdfast):/;

/** Names that programs take from `globalThis` although they could do without. */
const GLOBALS = {
  quickjs: [
    "AbortController AbortSignal Event EventTarget Headers ReadableStream Request Response TextDecoder TextEncoder URL",
    "URLSearchParams clearImmediate clearInterval clearTimeout console crypto fetch setImmediate setInterval setTimeout",
    "structuredClone",
  ]
    .join(" ")
    .split(" "),
  starlingmonkey: ["console", "fetch"],
};

/** Files whose import is their text. Any other is taken so as `FILE?text`. */
export const TEXTS = { ".css": "text", ".html": "text", ".md": "text", ".svg": "text", ".txt": "text" };

/** Returns the `code`, and the `imports` from the host that are left in it. */
export async function bundle(path, { engine, handlers }) {
  const { build } = await tool("esbuild", path);
  const result = await run(build, {
    stdin: { contents: entry(path, engine, handlers), resolveDir: dirname(path), sourcefile: "holdfast-entry.js" },
    bundle: true,
    write: false,
    metafile: true,
    format: "esm",
    platform: "neutral",
    mainFields: ["module", "main"],
    conditions: ["import", "holdfast"],
    target: "es2023",
    loader: TEXTS,
    sourcemap: "external",
    outfile: "plugin.js",
    logLevel: "silent",
    inject: [join(SDK, "globals", `inject-${engine}.js`)],
    define: defines(engine),
    plugins: [hostImports, texts],
  });
  const output = Object.values(result.metafile.outputs).find((item) => item.entryPoint);
  const imports = output.imports.filter((item) => item.external).map((item) => item.path);
  const text = (name) => result.outputFiles.find((file) => file.path.endsWith(name)).text;
  const lines = `globalThis.__holdfastLines = ${JSON.stringify(lineTable(text(".js.map"), path))};\n`;
  return { code: text(".js") + lines, imports: [...new Set(imports)].sort() };
}

/** Leaves the host's imports as they are; those which nobody uses go. */
const hostImports = {
  name: "host-imports",
  setup(build) {
    build.onResolve({ filter: HOST }, ({ path }) => ({ path, external: true, sideEffects: false }));
    build.onResolve({ filter: /^holdfast$/ }, ({ resolveDir, kind, pluginData }) => {
      if (pluginData === "own") return undefined;
      return build.resolve("./index.js", { resolveDir: SDK, kind, pluginData: "own" });
    });
  },
};

/** Any file as a text. */
export const texts = {
  name: "texts",
  setup(build) {
    build.onResolve({ filter: /\?text$/ }, ({ path, resolveDir }) => ({
      path: resolve(resolveDir, path.replace(/\?text$/, "")),
      namespace: "text",
    }));
    build.onLoad({ filter: /.*/, namespace: "text" }, async ({ path }) => ({
      contents: await readFile(path, "utf8"),
      loader: "text",
      watchFiles: [path],
    }));
  },
};

function entry(path, engine, handlers) {
  const lines = [`import plugin from ${JSON.stringify(path)};`];
  const from = (file) => JSON.stringify(join(SDK, file));
  if (handlers.websocket) {
    const name = engine === "quickjs" ? "websocketHandler" : "websocketHandlerSync";
    lines.push(`import { websocketExports } from ${from("websocket.js")};`, `export const ${name} = websocketExports(plugin.websocket);`);
  }
  if (handlers.fetch) {
    const call = "(request) => plugin.fetch(request)";
    if (engine === "quickjs") {
      lines.push(`import { httpExports } from ${from("http/quickjs.js")};`, `export const handler = httpExports(${call});`);
    } else {
      lines.push(`import { listen } from ${from("http/starlingmonkey.js")};`, `listen(${call});`);
    }
  }
  if (handlers.attachments) {
    lines.push(`import { attachmentsExports } from ${from("attachments.js")};`, "export const attachments = attachmentsExports(plugin.attachments);");
  }
  return lines.join("\n");
}

function defines(engine) {
  const named = GLOBALS[engine].flatMap((name) => [[`globalThis.${name}`, name], [`self.${name}`, name]]);
  const random = engine === "quickjs" ? [["Math.random", "__holdfast_random"]] : [];
  return Object.fromEntries([...named, ...random, ["HOLDFAST_ENGINE", JSON.stringify(engine)]]);
}

/** Runs esbuild; what it finds wrong is the author's to mend. */
export async function run(build, options) {
  try {
    return await build(options);
  } catch (error) {
    const problems = (error.errors ?? []).map(({ text, location }) => {
      const place = location ? `${location.file}:${location.line}:${location.column + 1}: ` : "";
      const line = location ? `\n    ${location.lineText.trim()}` : "";
      return `${place}${text}${line}`;
    });
    if (problems.length === 0) throw error;
    throw new Problem(problems.join("\n"));
  }
}
