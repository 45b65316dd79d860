// Components with StarlingMonkey, by componentize-js. It is given the WIT as one text:
// its own reader of folders fails with the libraries that it is installed with today.

import { Problem } from "./problem.js";
import { tool } from "./tools.js";
import { packages } from "./world.js";

export async function componentize({ code, world, handlers, base }) {
  const module = await tool("@bytecodealliance/componentize-js", base);
  const witWorld = world + packages().map(({ name, version, text }) => `package ${name}@${version} {\n${text}}\n`).join("\n");
  const disableFeatures = handlers.fetch ? [] : ["fetch-event"];
  // With it, the component imports what sends requests, which has to be granted.
  if (!code.includes('Reflect.get(globalThis, "fetch")')) disableFeatures.push("http");
  try {
    const { component } = await module.componentize(code, { sourceName: "plugin.js", witWorld, worldName: "plugin", disableFeatures });
    return Buffer.from(component);
  } catch (error) {
    throw new Problem(`StarlingMonkey does not take the plugin: ${error.message}`);
  }
}
