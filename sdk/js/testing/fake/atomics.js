import { refuse } from "../host.js";

export class Cas {
  constructor(bucket, key) {
    this.bucket = bucket;
    this.key = key;
    this.seen = bucket.get(key);
  }

  static new(bucket, key) {
    return new Cas(bucket, key);
  }

  current() {
    return this.seen;
  }
}

export function increment(bucket, key, delta) {
  const value = bucket.get(key);
  const number = value === null ? 0 : Number(Buffer.from(value).toString());
  if (!Number.isInteger(number)) refuse("other", "the value is no number");
  bucket.set(key, new TextEncoder().encode(String(number + delta)));
  return number + delta;
}

export function swap(cas, value) {
  if (cas.bucket.get(cas.key) !== cas.seen) refuse("cas-failed", new Cas(cas.bucket, cas.key));
  cas.bucket.set(cas.key, value);
}
