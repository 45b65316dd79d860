// Values as text, for logs: strings as they are, everything else so that a person
// sees what it is.

import { readable } from "./stack.js";

/** How deep objects are shown, and how many of their members. */
const DEPTH_MAX = 4;
const MEMBERS_MAX = 100;

export function format(values) {
  const [first, ...rest] = values;
  if (typeof first !== "string" || !first.includes("%")) return values.map(top).join(" ");
  const text = first.replace(/%([sdifjoOc%])/g, (whole, kind) => {
    if (kind === "%") return "%";
    if (rest.length === 0) return whole;
    const value = rest.shift();
    if (kind === "s") return top(value);
    if (kind === "d") return String(Number(value));
    if (kind === "i") return String(parseInt(value, 10));
    if (kind === "f") return String(parseFloat(value));
    if (kind === "c") return "";
    return inspect(value, 0, []);
  });
  return [text, ...rest.map(top)].join(" ");
}

/** An error with its message and its stack, and what caused it. */
export function describe(error) {
  if (!(error instanceof Error)) return `thrown: ${inspect(error, 0, [])}`;
  const head = `${error.name}: ${error.message}`;
  const stack = readable(error.stack ?? "").trimEnd();
  const whole = stack.includes(head) ? stack : `${head}\n${stack}`.trimEnd();
  return error.cause === undefined ? whole : `${whole}\ncaused by ${describe(error.cause)}`;
}

function top(value) {
  return typeof value === "string" ? value : inspect(value, 0, []);
}

function inspect(value, depth, above) {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "function") return `[Function ${value.name || "(anonymous)"}]`;
  if (typeof value !== "object" || value === null) return String(value);
  if (value instanceof Error) return describe(value);
  if (above.includes(value)) return "[Circular]";
  if (depth >= DEPTH_MAX) return Array.isArray(value) ? "[Array]" : "[Object]";
  return composite(value, (inner) => inspect(inner, depth + 1, [...above, value]));
}

function composite(value, show) {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "Invalid Date" : value.toISOString();
  if (value instanceof RegExp) return String(value);
  if (value instanceof Promise) return "Promise {}";
  if (Array.isArray(value)) return list("[", value.map(show), "]");
  const name = value.constructor?.name;
  const prefix = name && name !== "Object" ? `${name} ` : "";
  if (value instanceof ArrayBuffer) return `ArrayBuffer(${value.byteLength})`;
  if (ArrayBuffer.isView(value)) return `${prefix.trim()}(${value.byteLength}) ${list("[", [...typed(value)], "]")}`;
  if (value instanceof Map) return prefix + list("{", [...value].map(([key, item]) => `${show(key)} => ${show(item)}`), "}");
  if (value instanceof Set) return prefix + list("{", [...value].map(show), "}");
  const key = (text) => (/^[A-Za-z_$][\w$]*$/.test(text) ? text : JSON.stringify(text));
  return prefix + list("{", Object.entries(value).map(([name, item]) => `${key(name)}: ${show(item)}`), "}");
}

function typed(view) {
  return view instanceof DataView ? [] : Array.from(view.subarray(0, MEMBERS_MAX + 1), String);
}

function list(open, items, close) {
  const shown = items.slice(0, MEMBERS_MAX);
  if (items.length > MEMBERS_MAX) shown.push("…");
  if (shown.length === 0) return open + close;
  const space = open === "{" ? " " : "";
  return open + space + shown.join(", ") + space + close;
}
