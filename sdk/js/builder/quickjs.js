// Components with QuickJS, by componentize-qjs.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Problem } from "./problem.js";
import { tool } from "./tools.js";
import { packages } from "./world.js";

export async function componentize({ code, world, base }) {
  const module = await tool("componentize-qjs", base);
  const componentize = module.componentize ?? module.default.componentize;
  const folder = mkdtempSync(join(tmpdir(), "holdfast-build-"));
  try {
    writeWit(folder, world);
    const jsPath = join(folder, "plugin.js");
    writeFileSync(jsPath, code);
    const { component } = await componentize({ witPath: join(folder, "wit"), jsSource: code, jsPath, world: "plugin" });
    return component;
  } catch (error) {
    throw new Problem(`QuickJS does not take the plugin: ${error.message}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function writeWit(folder, world) {
  const wit = join(folder, "wit");
  mkdirSync(join(wit, "deps"), { recursive: true });
  writeFileSync(join(wit, "plugin.wit"), world);
  for (const { name, version, text } of packages()) {
    const own = join(wit, "deps", `${name.replace(":", "-")}-${version}`);
    mkdirSync(own);
    writeFileSync(join(own, "package.wit"), `package ${name}@${version};\n${text}`);
  }
}
