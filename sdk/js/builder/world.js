// The WIT world of one plugin: the imports that its bundle has, and the exports for its
// handlers. A component so imports only what its code uses.

import { readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const WIT = join(dirname(fileURLToPath(import.meta.url)), "..", "wit");

const EXPORTS = {
  quickjs: {
    websocket: "holdfast:websocket/websocket-handler@0.1.0",
    fetch: "wasi:http/handler@0.3.0",
  },
  starlingmonkey: {
    websocket: "holdfast:websocket/websocket-handler-sync@0.1.0",
    fetch: "wasi:http/incoming-handler@0.2.10",
  },
};

const ATTACHMENTS = "holdfast:websocket/attachments@0.1.0";

/** The package `holdfast:plugin`, with the world `plugin`. */
export function world({ engine, handlers, imports }) {
  const exports = ["websocket", "fetch"].filter((name) => handlers[name]).map((name) => EXPORTS[engine][name]);
  if (handlers.attachments) exports.push(ATTACHMENTS);
  const lines = [...imports.map((name) => `  import ${name};`), ...exports.map((name) => `  export ${name};`)];
  return `package holdfast:plugin;\n\nworld plugin {\n${lines.join("\n")}\n}\n`;
}

/** The packages behind it: `{ name, version, text }`, the text without its first line. */
export function packages() {
  const found = new Map();
  for (const file of files(WIT)) {
    const source = readFileSync(file, "utf8");
    const [line, name, version] = /^package ([^@;]+)@([^;]+);$/m.exec(source);
    const id = `${name}@${version}`;
    const known = found.get(id) ?? { name, version, text: "" };
    // Worlds are for other tools than ours.
    known.text += source.replace(line, "").replace(/^(\/\/\/.*\n)*world [^{]*\{[^}]*\}\n/gm, "");
    found.set(id, known);
  }
  return [...found.values()];
}

function files(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? files(path) : [path];
  });
}
