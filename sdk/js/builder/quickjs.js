// Components with QuickJS, by componentize-qjs.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Problem } from "./problem.js";
import { tool } from "./tools.js";
import { packages } from "./world.js";

/**
 * While the snapshot is taken, the tool puts its own `wasi:io` beneath a component, and
 * nothing beneath `wasi:http`, whose streams are then not those of `wasi:io`. So both
 * have other names of the same length until the snapshot is there.
 */
const HIDDEN = { real: "wasi:", hidden: "wasj:" };
const HTTP = /wasi:(http\/[a-z-]+@0\.2\.10)/g;
const IO = /wasi:(io\/[a-z-]+)@0\.2\.10/g;
/** The hidden `wasi:io` is of a version of its own, since a component may have both. */
const IO_VERSION = "0.2.9";

export async function componentize({ code, world, base }) {
  const module = await tool("componentize-qjs", base);
  const componentize = module.componentize ?? module.default.componentize;
  const folder = mkdtempSync(join(tmpdir(), "holdfast-build-"));
  try {
    writeWit(folder, world);
    const jsPath = join(folder, "plugin.js");
    const jsSource = hide(code);
    writeFileSync(jsPath, jsSource);
    const { component } = await componentize({ witPath: join(folder, "wit"), jsSource, jsPath, world: "plugin" });
    return reveal(component);
  } catch (error) {
    throw new Problem(`QuickJS does not take the plugin: ${error.message}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function writeWit(folder, world) {
  const wit = join(folder, "wit");
  mkdirSync(join(wit, "deps"), { recursive: true });
  writeFileSync(join(wit, "plugin.wit"), hide(world));
  for (const { name, version, text } of packages().flatMap(hiddenPackages)) {
    const own = join(wit, "deps", `${name.replace(":", "-")}-${version}`);
    mkdirSync(own);
    writeFileSync(join(own, "package.wit"), `package ${name}@${version};\n${text}`);
  }
}

function hiddenPackages(item) {
  const { name, version, text } = item;
  const hidden = { name: name.replace(HIDDEN.real, HIDDEN.hidden), version, text: text.replace(IO, `${HIDDEN.hidden}$1@${IO_VERSION}`) };
  if (name === "wasi:http" && version === "0.2.10") return [hidden];
  return name === "wasi:io" ? [item, { ...hidden, version: IO_VERSION }] : [item];
}

function hide(text) {
  return text.replace(HTTP, `${HIDDEN.hidden}$1`);
}

/** Puts the real names back, wherever they are in the component. */
function reveal(component) {
  const bytes = Buffer.from(component);
  for (let at = bytes.indexOf(HIDDEN.hidden); at >= 0; at = bytes.indexOf(HIDDEN.hidden, at)) bytes.write(HIDDEN.real, at);
  return bytes;
}
