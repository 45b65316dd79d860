// The builder: what it finds in a plugin, and what it takes into a component.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { bundle } from "../builder/bundle.js";
import { handlersOf } from "../builder/look.js";
import { above } from "../builder/tools.js";
import { packages, world } from "../builder/world.js";

const SDK = join(dirname(fileURLToPath(import.meta.url)), "..");
const folder = mkdtempSync(join(tmpdir(), "holdfast-js-test-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const source = (text, name = "plugin.js") => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

const ECHO = "export default { websocket: { receive: (connection, message) => void connection.send(message) } };";

test("the handlers of a plugin are found", async () => {
  assert.deepEqual(await handlersOf(source(ECHO)), { fetch: false, websocket: true, attachments: false });
  const typed = source("const fetch = (r: Request): Response => new Response(r.url);\nexport default { fetch };", "plugin.ts");
  assert.deepEqual(await handlersOf(typed), { fetch: true, websocket: false, attachments: false });
});

test("what is wrong with a plugin is said before anything is built", async () => {
  const says = async (text, message) => assert.rejects(handlersOf(source(text)), { name: "Problem", message });
  await says("export default {};", /has no handler/);
  await says("export default { websockets: {} };", /has websockets/);
  await says("export const fetch = 1;", /No matching export|has no handler/);
  await says("export default { fetch( };", /plugin\.js:1:\d+: /);
  await says("import x from './absent.js'; export default x;", /Could not resolve/);
  await says("null.x; export default {};", /plugin\.js:1/);
  await says('import { keyvalue } from "holdfast"; keyvalue.open(); export default {};', /the host is not there while a plugin is built: call open in a handler/);
});

test("a component imports what its code uses, and no more", async () => {
  const importsOf = async (text, engine = "quickjs") => {
    const path = source(text);
    return (await bundle(path, { engine, handlers: await handlersOf(path) })).imports.join(" ");
  };
  const echo = await importsOf(ECHO);
  assert.match(echo, /holdfast:websocket\/connections@0\.1\.0/);
  assert.doesNotMatch(echo, /keyvalue|outgoing|config|random|stdout/);
  const hello = await importsOf('export default { fetch: () => new Response("hello") };');
  assert.match(hello, /wasi:http\/types@0\.3\.0/);
  assert.doesNotMatch(hello, /websocket|outgoing/);
  for (const [use, wanted] of [
    ["fetch('http://a/')", /wasi:http\/outgoing-handler@0\.2\.10/],
    ["globalThis.fetch('http://a/')", /wasi:http\/outgoing-handler@0\.2\.10/],
    ["Math.random()", /wasi:random/],
    ["crypto.randomUUID()", /wasi:random/],
    ["setTimeout(() => {}, 1)", /wasi:clocks\/monotonic-clock@0\.3\.0/],
    ["keyvalue.open()", /wasi:keyvalue\/store@0\.2\.0-draft2/],
    ["config.get('a')", /wasi:config\/store@0\.2\.0-rc\.1/],
  ]) {
    const imports = await importsOf(`import { keyvalue, config } from "holdfast"; export default { fetch: () => Response.json(${use}) };`);
    assert.match(imports, wanted, use);
  }
  const other = await importsOf("export default { fetch: async () => fetch('http://a/') };", "starlingmonkey");
  assert.equal(other, "wasi:logging/logging@0.1.0-draft");
});

test("files can be imported as texts", async () => {
  source("<b>page</b>", "page.html");
  source("alert(1)", "script.js");
  const path = source('import a from "./page.html"; import b from "./script.js?text"; export default { fetch: () => new Response(a + b) };');
  const { code } = await bundle(path, { engine: "quickjs", handlers: await handlersOf(path) });
  assert.ok(code.includes("<b>page</b>") && code.includes('"alert(1)"'));
});

test("lines of a bundle lead back to the author's files", async () => {
  const path = source(`${ECHO}\n\n// three\nfunction four() {\n  throw new Error("five");\n}\nexport { four };`);
  const { code } = await bundle(source(`import { four } from "./plugin.js";\nexport default { fetch: four };`, "main.js"), {
    engine: "quickjs",
    handlers: { fetch: true },
  });
  const line = code.split("\n").findIndex((text) => text.includes('Error("five")')) + 1;
  const table = JSON.parse(/__holdfastLines = (".*");/.exec(code)[1]);
  globalThis.__holdfastLines = table;
  try {
    const { readable } = await import("../src/stack.js");
    assert.equal(readable(`    at four (/plugin.js:${line}:9)\n    at inner (/plugin.js:1:1)`), "    at four (plugin.js:5)\n    at inner (/plugin.js:1:1)");
    assert.equal(readable(`four@plugin.js:${line}:9`), "four@plugin.js:5");
  } finally {
    delete globalThis.__holdfastLines;
  }
  assert.ok(path);
});

test("a world has the handlers of its engine", () => {
  const handlers = { fetch: true, websocket: true, attachments: true };
  assert.equal(
    world({ engine: "starlingmonkey", handlers, imports: ["wasi:config/store@0.2.0-rc.1"] }),
    "package holdfast:plugin;\n\nworld plugin {\n  import wasi:config/store@0.2.0-rc.1;\n" +
      "  export holdfast:websocket/websocket-handler-sync@0.1.0;\n  export wasi:http/incoming-handler@0.2.10;\n" +
      "  export holdfast:websocket/attachments@0.1.0;\n}\n",
  );
  const names = packages().map(({ name, version }) => `${name}@${version}`);
  for (const name of ["holdfast:websocket@0.1.0", "wasi:http@0.2.10", "wasi:http@0.3.0"]) assert.ok(names.includes(name), name);
  assert.ok(packages().every(({ text }) => !/^world /m.test(text)));
});

test("the WIT of the SDK is that of the repository", (context) => {
  const original = join(SDK, "../../wit/websocket-0.1.0");
  const copy = join(SDK, "wit/websocket-0.1.0");
  const names = (path) => {
    try {
      return readdirSync(path).sort();
    } catch {
      return null;
    }
  };
  // A copy of the SDK in somebody's project is alone.
  if (names(original) === null) return context.skip("there is no repository");
  assert.deepEqual(names(copy), names(original));
  for (const name of names(original)) assert.equal(readFileSync(join(copy, name), "utf8"), readFileSync(join(original, name), "utf8"), name);
});

test("the command says what it wants", async () => {
  const run = (...words) =>
    promisify(execFile)(process.execPath, [join(SDK, "bin/holdfast-build.js"), ...words], { cwd: folder }).then(
      ({ stdout }) => [0, stdout],
      ({ code, stderr }) => [code, stderr],
    );
  assert.match((await run("--help"))[1], /Usage: holdfast-build/);
  for (const [words, says] of [
    [[], /error: which source\?\n  hint: /],
    [["absent.js"], /error: absent\.js: there is no such file/],
    [["--engine", "v8", "plugin.js"], /error: there is no engine v8\n  hint: they are quickjs and starlingmonkey/],
    [["a.js", "b.js"], /one source is enough/],
    [["--fast"], /--fast is not understood/],
    [["-o"], /-o needs a value/],
  ]) {
    const [code, text] = await run(...words);
    assert.equal(code, 1);
    assert.match(text, says);
  }
});

test("types fit", async (context) => {
  const starts = [process.env.HOLDFAST_JS_TOOLS, join(SDK, "test/tools"), SDK].filter(Boolean);
  const found = starts.map((start) => above(start, "node_modules/typescript")).find(Boolean);
  if (!found) return context.skip("TypeScript is not installed");
  const configs = ["tsconfig.json", "tsconfig.programs.json"];
  for (const config of configs) {
    const run = promisify(execFile)(process.execPath, [join(found, "bin/tsc"), "-p", join(SDK, config)]);
    await run.catch(({ stdout }) => assert.fail(stdout));
  }
});

test("the versions of tools are those that the SDK names", () => {
  const read = (file) => JSON.parse(readFileSync(join(SDK, file), "utf8"));
  const { dependencies, peerDependencies } = read("package.json");
  const { typescript, ...tools } = read("test/tools/package.json").dependencies;
  assert.ok(typescript);
  assert.deepEqual(tools, { ...peerDependencies, ...dependencies });
});
