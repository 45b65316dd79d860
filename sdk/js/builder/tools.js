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
    if (folder) return load(folder);
  }
  throw new Problem(`the package ${name} is not installed`, `npm install --save-dev ${name}`);
}

async function load(folder) {
  try {
    return await import(pathToFileURL(join(folder, entry(folder))).href);
  } catch (error) {
    // npm does not always find out what these packages need of each other.
    const missing = /^Cannot find package '([^']+)'/.exec(error.message);
    if (error.code !== "ERR_MODULE_NOT_FOUND" || !missing) throw error;
    throw new Problem(error.message, `npm install --save-dev ${missing[1]}`);
  }
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
