// Event, EventTarget, AbortController and AbortSignal (dom.spec.whatwg.org), without
// a tree of targets.

import { setWeakTimeout } from "./timers.js";
import { report } from "../report.js";

export class Event {
  #type;
  #canceled = false;
  #cancelable;
  #stopped = false;
  target = null;
  currentTarget = null;
  timeStamp = Date.now();

  constructor(type, { cancelable = false } = {}) {
    this.#type = String(type);
    this.#cancelable = Boolean(cancelable);
  }

  get type() {
    return this.#type;
  }

  get cancelable() {
    return this.#cancelable;
  }

  get defaultPrevented() {
    return this.#canceled;
  }

  preventDefault() {
    if (this.#cancelable) this.#canceled = true;
  }

  stopPropagation() {}

  stopImmediatePropagation() {
    this.#stopped = true;
  }

  /** Whether the other listeners are not to hear of it. */
  static isStopped(event) {
    return event.#stopped;
  }
}

export class EventTarget {
  #listeners = [];

  addEventListener(type, callback, options) {
    if (callback === null || callback === undefined) return;
    const { once = false, signal } = typeof options === "object" && options !== null ? options : {};
    const known = this.#listeners.some((entry) => entry.type === type && entry.callback === callback);
    if (known || signal?.aborted) return;
    this.#listeners.push({ type, callback, once });
    signal?.addEventListener("abort", () => this.removeEventListener(type, callback));
  }

  removeEventListener(type, callback) {
    this.#listeners = this.#listeners.filter((entry) => entry.type !== type || entry.callback !== callback);
  }

  dispatchEvent(event) {
    event.target = this;
    event.currentTarget = this;
    for (const { type, callback, once } of [...this.#listeners]) {
      if (type !== event.type) continue;
      if (Event.isStopped(event)) break;
      if (once) this.removeEventListener(type, callback);
      try {
        if (typeof callback === "function") callback.call(this, event);
        else callback.handleEvent(event);
      } catch (error) {
        report(`a listener of ${type}`, error);
      }
    }
    event.currentTarget = null;
    return !event.defaultPrevented;
  }
}

/** Only this module may make a signal, or abort one. */
const KEY = Symbol("signal");

export class AbortSignal extends EventTarget {
  #aborted = false;
  #reason = undefined;
  onabort = null;

  constructor(key) {
    super();
    if (key !== KEY) throw new TypeError("Illegal constructor");
  }

  get aborted() {
    return this.#aborted;
  }

  get reason() {
    return this.#reason;
  }

  throwIfAborted() {
    if (this.#aborted) throw this.#reason;
  }

  static abort(reason) {
    const signal = new AbortSignal(KEY);
    abort(signal, reason);
    return signal;
  }

  static timeout(milliseconds) {
    const signal = new AbortSignal(KEY);
    const late = () => abort(signal, new DOMException("The operation was aborted due to timeout", "TimeoutError"));
    setWeakTimeout(late, milliseconds);
    return signal;
  }

  static any(signals) {
    const signal = new AbortSignal(KEY);
    for (const source of signals) {
      if (source.aborted) {
        abort(signal, source.reason);
        break;
      }
      source.addEventListener("abort", () => abort(signal, source.reason));
    }
    return signal;
  }

  static fire(key, signal, reason) {
    if (key !== KEY || signal.#aborted) return;
    signal.#aborted = true;
    signal.#reason = reason === undefined ? new DOMException("This operation was aborted", "AbortError") : reason;
    const event = new Event("abort");
    signal.onabort?.(event);
    signal.dispatchEvent(event);
  }
}

function abort(signal, reason) {
  AbortSignal.fire(KEY, signal, reason);
}

export class AbortController {
  #signal = new AbortSignal(KEY);

  get signal() {
    return this.#signal;
  }

  abort(reason) {
    abort(this.#signal, reason);
  }
}
