// structuredClone (html.spec.whatwg.org, structured data), without transferring.

export function structuredClone(value) {
  return clone(value, new Map());
}

function refuse(value) {
  const what = typeof value === "symbol" ? String(value) : (value?.name ?? typeof value);
  throw new DOMException(`${what} could not be cloned.`, "DataCloneError");
}

function clone(value, seen) {
  if (typeof value === "symbol" || typeof value === "function") refuse(value);
  if (typeof value !== "object" || value === null) return value;
  if (seen.has(value)) return seen.get(value);
  const copy = leaf(value, seen);
  if (copy !== undefined) {
    seen.set(value, copy);
    return copy;
  }
  return composite(value, seen);
}

/** What has no members that could lead back to it. */
function leaf(value, seen) {
  if (value instanceof Date) return new Date(value.getTime());
  if (value instanceof RegExp) return new RegExp(value.source, value.flags);
  if (value instanceof ArrayBuffer) return value.slice(0);
  if (ArrayBuffer.isView(value)) {
    const buffer = clone(value.buffer, seen);
    const length = value instanceof DataView ? value.byteLength : value.length;
    return new value.constructor(buffer, value.byteOffset, length);
  }
  if (value instanceof Boolean || value instanceof Number || value instanceof String) return Object(value.valueOf());
  if (value instanceof Promise || value instanceof WeakMap || value instanceof WeakSet || value instanceof WeakRef) {
    refuse(value.constructor);
  }
  return undefined;
}

function composite(value, seen) {
  if (value instanceof Error) return cloneError(value, seen);
  const copy = value instanceof Map ? new Map() : value instanceof Set ? new Set() : Array.isArray(value) ? new Array(value.length) : {};
  seen.set(value, copy);
  if (value instanceof Map) for (const [key, item] of [...value]) copy.set(clone(key, seen), clone(item, seen));
  else if (value instanceof Set) for (const item of [...value]) copy.add(clone(item, seen));
  else for (const key of Object.keys(value)) copy[key] = clone(value[key], seen);
  return copy;
}

const ERRORS = { EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };

function cloneError(error, seen) {
  const copy = new (ERRORS[error.name] ?? Error)(error.message);
  seen.set(error, copy);
  if (error.stack !== undefined) Object.defineProperty(copy, "stack", { value: error.stack, writable: true, configurable: true });
  if ("cause" in error) copy.cause = clone(error.cause, seen);
  return copy;
}
