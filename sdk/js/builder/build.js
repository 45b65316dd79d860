// From a source to a component: look at the plugin, bundle it for the engine, write
// down what it imports and exports as a WIT world, and have the engine's own tool put
// all of it into a component, with the program's top level already run.

import { existsSync } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { bundle } from "./bundle.js";
import { handlersOf } from "./look.js";
import { Problem } from "./problem.js";
import { world } from "./world.js";

const ENGINES = {
  quickjs: () => import("./quickjs.js"),
  starlingmonkey: () => import("./starlingmonkey.js"),
};

/** Builds, and returns the `output`, its size in `bytes`, and the `milliseconds` it took. */
export async function build({ source, output, engine }) {
  const begun = Date.now();
  const path = resolve(source);
  if (!existsSync(path)) throw new Problem(`${source}: there is no such file`, "name the module with the plugin");
  const handlers = await handlersOf(path);
  const { code, imports } = await bundle(path, { engine, handlers });
  const { componentize } = await ENGINES[engine]();
  const component = await componentize({ code, world: world({ engine, handlers, imports }), handlers, base: path });
  await replace(resolve(output), component);
  return { output, bytes: component.length, milliseconds: Date.now() - begun };
}

/** Renames it into place, so that nobody sees half a component. */
async function replace(path, bytes) {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.partial`, bytes);
  await rename(`${path}.partial`, path);
}
