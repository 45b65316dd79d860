// Headers (fetch.spec.whatwg.org, section 5.1).

const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const VALUE = /^[^\0\r\n]*$/;

function nameOf(value) {
  const name = String(value).toLowerCase();
  if (!NAME.test(name)) throw new TypeError(`Invalid header name: ${value}`);
  return name;
}

function valueOf(value) {
  const text = String(value).replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, "");
  if (!VALUE.test(text)) throw new TypeError(`Invalid header value: ${value}`);
  return text;
}

export class Headers {
  #fields = [];

  constructor(init) {
    if (init === undefined || init === null) return;
    const pairs = typeof init[Symbol.iterator] === "function" ? init : Object.entries(init);
    for (const pair of pairs) {
      const list = [...pair];
      if (list.length !== 2) throw new TypeError("Each header pair must be a name/value tuple");
      this.append(...list);
    }
  }

  append(name, value) {
    this.#fields.push([nameOf(name), valueOf(value)]);
  }

  delete(name) {
    const wanted = nameOf(name);
    this.#fields = this.#fields.filter((field) => field[0] !== wanted);
  }

  get(name) {
    const wanted = nameOf(name);
    const values = this.#fields.filter((field) => field[0] === wanted).map((field) => field[1]);
    return values.length === 0 ? null : values.join(", ");
  }

  getSetCookie() {
    return this.#fields.filter((field) => field[0] === "set-cookie").map((field) => field[1]);
  }

  has(name) {
    const wanted = nameOf(name);
    return this.#fields.some((field) => field[0] === wanted);
  }

  set(name, value) {
    const wanted = nameOf(name);
    const field = [wanted, valueOf(value)];
    const first = this.#fields.findIndex((other) => other[0] === wanted);
    const others = this.#fields.filter((other) => other[0] !== wanted);
    others.splice(first < 0 ? others.length : first, 0, field);
    this.#fields = others;
  }

  forEach(callback, self) {
    for (const [name, value] of this) callback.call(self, value, name, this);
  }

  /** In the order of the names; values of one name joined, cookies apart. */
  *entries() {
    const names = [...new Set(this.#fields.map((field) => field[0]))].sort();
    for (const name of names) {
      if (name === "set-cookie") for (const cookie of this.getSetCookie()) yield [name, cookie];
      else yield [name, this.get(name)];
    }
  }

  *keys() {
    for (const [name] of this.entries()) yield name;
  }

  *values() {
    for (const [, value] of this.entries()) yield value;
  }

  [Symbol.iterator]() {
    return this.entries();
  }

  get [Symbol.toStringTag]() {
    return "Headers";
  }
}
