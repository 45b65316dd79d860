// Keys and values which outlive connections, instances and versions of the plugin.
// Any instance may change a key at any time: where the new value depends on the old
// one, use `update` or `increment`.

import * as atomics from "wasi:keyvalue/atomics@0.2.0-draft2";
import * as batch from "wasi:keyvalue/batch@0.2.0-draft2";
import * as host from "wasi:keyvalue/store@0.2.0-draft2";
import { toBytes, toText } from "./bytes.js";
import { ENGINE, NONE, fromOption, toLong } from "./engine.js";
import { HostError, call } from "./error.js";

/** How often `update` tries before it gives up. */
export const ATTEMPTS_MAX = 1000;

const TEXTS = {
  "no-such-store": "there is no such key-value store",
  "access-denied": "the key-value store is not granted",
  other: (text) => `the key-value store failed: ${text}`,
};

export function open(name = "default") {
  return new Store(call(TEXTS, () => host.open(name)));
}

export class Store {
  #bucket;

  constructor(bucket) {
    this.#bucket = bucket;
  }

  get(key) {
    return fromOption(call(TEXTS, () => this.#bucket.get(key)));
  }

  getText(key) {
    const bytes = this.get(key);
    return bytes && toText(bytes);
  }

  getJson(key) {
    const bytes = this.get(key);
    return bytes && JSON.parse(toText(bytes));
  }

  set(key, value) {
    const bytes = toBytes(value);
    call(TEXTS, () => this.#bucket.set(key, bytes));
  }

  setJson(key, value) {
    this.set(key, JSON.stringify(value));
  }

  delete(key) {
    call(TEXTS, () => this.#bucket.delete(key));
  }

  exists(key) {
    return call(TEXTS, () => this.#bucket.exists(key));
  }

  keys() {
    const keys = [];
    let cursor = NONE;
    do {
      const page = call(TEXTS, () => this.#bucket.listKeys(cursor));
      keys.push(...page.keys);
      cursor = page.cursor ?? NONE;
    } while (cursor !== NONE);
    return keys;
  }

  getMany(keys) {
    const found = call(TEXTS, () => batch.getMany(this.#bucket, keys));
    return new Map(found.map(([key, value]) => [key, fromOption(value)]));
  }

  setMany(pairs) {
    const list = [...pairs].map(([key, value]) => [key, toBytes(value)]);
    call(TEXTS, () => batch.setMany(this.#bucket, list));
  }

  deleteMany(keys) {
    call(TEXTS, () => batch.deleteMany(this.#bucket, [...keys]));
  }

  increment(key, delta = 1) {
    // StarlingMonkey's bindings can't pass a negative s64.
    if (ENGINE === "starlingmonkey" && delta < 0) return this.#decrease(key, delta);
    return Number(call(TEXTS, () => atomics.increment(this.#bucket, key, toLong(delta))));
  }

  /** The same by compare-and-swap: the host keeps numbers as decimal texts. */
  #decrease(key, delta) {
    const sum = this.update(key, (bytes) => {
      const number = bytes === null ? 0 : Number(toText(bytes));
      if (!Number.isInteger(number)) throw new HostError("other", null, TEXTS.other("the value is no number"));
      return String(number + delta);
    });
    return Number(toText(sum));
  }

  update(key, change) {
    let cas = call(TEXTS, () => atomics.Cas.new(this.#bucket, key));
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const held = cas;
      const value = toBytes(change(fromOption(call(TEXTS, () => held.current()))));
      try {
        atomics.swap(held, value);
        return value;
      } catch (error) {
        if (error?.payload?.tag !== "cas-failed") throw storeError(error);
        cas = error.payload.val;
      }
    }
    throw new HostError("contended", null, `overtaken by ${ATTEMPTS_MAX} other changes`);
  }
}

/** An error of the store within the error of a swap. */
function storeError(error) {
  if (error?.payload?.tag !== "store-error") return error;
  const inner = Object.assign(new Error(), { payload: error.payload.val });
  try {
    return call(TEXTS, () => {
      throw inner;
    });
  } catch (translated) {
    return translated;
  }
}
