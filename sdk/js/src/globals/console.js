// console: lines in the host's log.

import { format } from "../format.js";
import { log } from "../log.js";

const counts = new Map();
const times = new Map();
let indent = "";

function write(level, values) {
  log(level, "%s", indent + format(values));
}

export const console = {
  log: (...values) => write("info", values),
  info: (...values) => write("info", values),
  debug: (...values) => write("debug", values),
  warn: (...values) => write("warn", values),
  error: (...values) => write("error", values),
  trace: (...values) => write("debug", [...values, `\n${new Error().stack ?? ""}`]),
  dir: (value) => write("info", [value]),
  table: (value) => write("info", [value]),
  assert(condition, ...values) {
    if (!condition) write("error", ["Assertion failed:", ...values]);
  },
  count(label = "default") {
    counts.set(label, (counts.get(label) ?? 0) + 1);
    write("info", [`${label}: ${counts.get(label)}`]);
  },
  countReset: (label = "default") => void counts.delete(label),
  time: (label = "default") => void times.set(label, Date.now()),
  timeLog(label = "default", ...values) {
    if (times.has(label)) write("info", [`${label}: ${Date.now() - times.get(label)} ms`, ...values]);
  },
  timeEnd(label = "default") {
    console.timeLog(label);
    times.delete(label);
  },
  group(...values) {
    if (values.length > 0) write("info", values);
    indent += "  ";
  },
  groupEnd() {
    indent = indent.slice(2);
  },
};
