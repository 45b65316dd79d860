// Finds the packages that do the work. They are installed beside the SDK, in the
// project, or in a folder that HOLDFAST_JS_TOOLS names.

import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Problem } from "./problem.js";

/** Imports a package, looking upwards from `base`, from the working folder and from here. */
export async function tool(name, base) {
  const starts = [process.env.HOLDFAST_JS_TOOLS, base && dirname(base), process.cwd(), dirname(fileURLToPath(import.meta.url))];
  for (const start of starts.filter(Boolean)) {
    const folder = above(start, join("node_modules", name));
    if (folder) return import(pathToFileURL(join(folder, entry(folder))).href);
  }
  throw new Problem(`the package ${name} is not installed`, `npm install --save-dev ${name}`);
}

export function above(start, name) {
  for (let folder = start; ; folder = dirname(folder)) {
    if (existsSync(join(folder, name, "package.json"))) return join(folder, name);
    if (folder === dirname(folder)) return null;
  }
}

function entry(folder) {
  const { exports, main } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return exports?.import ?? exports?.["."]?.import ?? main ?? "index.js";
}
