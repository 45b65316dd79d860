// Where the lines of a bundle come from, so that a stack trace in the log names the
// author's files. A whole source map would be larger than most plugins.

import { SDK } from "./bundle.js";
import { dirname, relative, resolve } from "node:path";

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/**
 * A table as text: the names of the files, and runs of lines that follow each other in
 * the bundle as they do in a file: `first line, count, file, line there`. The SDK's own
 * files have the name "".
 */
export function lineTable(mapText, base) {
  const map = JSON.parse(mapText);
  const files = map.sources.map((source) => {
    const path = resolve(source);
    return path.startsWith(SDK) || source.startsWith("holdfast-entry") ? "" : relative(dirname(base), path);
  });
  const runs = [];
  firstSegments(map.mappings).forEach((segment, index) => {
    const last = runs.at(-1);
    if (segment === null) return;
    const [file, line] = segment;
    const follows = last && last[2] === file && index - last[0] <= last[1] && line - last[3] === index - last[0];
    if (follows) last[1] = index - last[0] + 1;
    else runs.push([index, 1, file, line]);
  });
  return JSON.stringify({ files, runs });
}

/** For each line of the bundle the file and the line of its first segment, or null. */
function firstSegments(mappings) {
  const state = [0, 0, 0];
  return mappings.split(";").map((line) => {
    let first = null;
    for (const segment of line.split(",")) {
      const [, file, row, column] = decode(segment);
      if (file === undefined) continue;
      [file, row, column].forEach((delta, index) => (state[index] += delta));
      first ??= [state[0], state[1]];
    }
    return first;
  });
}

/** Numbers in base 64, as source maps have them. */
function decode(segment) {
  const numbers = [];
  let value = 0;
  let shift = 0;
  for (const character of segment) {
    const digit = DIGITS.indexOf(character);
    value |= (digit & 31) << shift;
    shift += 5;
    if (digit & 32) continue;
    numbers.push(value & 1 ? -(value >> 1) : value >> 1);
    value = 0;
    shift = 0;
  }
  return numbers;
}
