// The command line of `holdfast-build`.

import { build } from "./build.js";
import { Problem } from "./problem.js";

const HELP = `\
Build a Holdfast plugin from JavaScript or TypeScript.

Usage: holdfast-build [--engine quickjs|starlingmonkey] SOURCE [-o FILE]

  SOURCE             the module with the plugin as its default export
  -o, --output FILE  the component; plugin.wasm if left out
  --engine ENGINE    quickjs (default): small, loads fast, async events;
                     starlingmonkey: an engine with the whole web
                     platform, 12 MB; needs @bytecodealliance/componentize-js
  --help             this text
`;

const ENGINES = ["quickjs", "starlingmonkey"];

/** Runs the command and returns the exit code. */
export async function main(words) {
  try {
    const options = parse(words);
    if (options.help) {
      process.stdout.write(HELP);
      return 0;
    }
    const { output, bytes, milliseconds } = await build(options);
    const size = bytes < 1 << 20 ? `${Math.ceil(bytes / 1024)} KiB` : `${(bytes / (1 << 20)).toFixed(1)} MiB`;
    console.log(`${output}: ${size}, ${options.engine}, built in ${(milliseconds / 1000).toFixed(1)} s`);
    return 0;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    console.error(`error: ${error.message}`);
    if (error.hint) console.error(`  hint: ${error.hint}`);
    return 1;
  }
}

function parse(words) {
  const options = { engine: "quickjs", output: "plugin.wasm", source: undefined, help: false };
  const rest = [...words];
  const value = (name) => {
    if (rest.length === 0) throw new Problem(`${name} needs a value`, "see holdfast-build --help");
    return rest.shift();
  };
  while (rest.length > 0) {
    const word = rest.shift();
    if (word === "--help" || word === "-h") options.help = true;
    else if (word === "-o" || word === "--output") options.output = value(word);
    else if (word === "--engine") options.engine = value(word);
    else if (word.startsWith("--engine=")) options.engine = word.slice("--engine=".length);
    else if (word.startsWith("-")) throw new Problem(`${word} is not understood`, "see holdfast-build --help");
    else if (options.source === undefined) options.source = word;
    else throw new Problem(`one source is enough: ${options.source} or ${word}?`, "see holdfast-build --help");
  }
  if (options.help) return options;
  if (options.source === undefined) throw new Problem("which source?", "holdfast-build src/plugin.js -o plugin.wasm");
  if (!ENGINES.includes(options.engine)) throw new Problem(`there is no engine ${options.engine}`, `they are ${ENGINES.join(" and ")}`);
  return options;
}
