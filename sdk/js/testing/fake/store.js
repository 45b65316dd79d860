import { host, refuse } from "../host.js";

export class Bucket {
  constructor(values) {
    this.values = values;
  }

  get(key) {
    return this.values.get(key) ?? null;
  }

  set(key, value) {
    this.values.set(key, value);
  }

  delete(key) {
    this.values.delete(key);
  }

  exists(key) {
    return this.values.has(key);
  }

  listKeys() {
    return { keys: [...this.values.keys()].sort(), cursor: null };
  }
}

export const open = (name) => new Bucket(host.stores.get(name) ?? refuse("no-such-store"));
