// URL (url.spec.whatwg.org, section 6.1). File URLs know no drive letters.

import { URLSearchParams } from "./url/params.js";
import { PORTS, encodeQuery, isSpecial, parse, parsePort, segments, setHostAndPort } from "./url/parse.js";
import { SETS, percentEncode } from "./url/percent.js";

export { URLSearchParams };

export class URL {
  #parts;
  #params;

  constructor(url, base) {
    const baseParts = base === undefined ? null : parse(String(base), null);
    try {
      this.#parts = parse(String(url), baseParts);
    } catch (error) {
      error.code = "ERR_INVALID_URL";
      error.input = String(url);
      throw error;
    }
    this.#params = URLSearchParams.of(this.#parts.query ?? "", (query) => {
      this.#parts.query = query === "" ? null : query;
    });
  }

  static canParse(url, base) {
    return URL.parse(url, base) !== null;
  }

  static parse(url, base) {
    try {
      return new URL(url, base);
    } catch {
      return null;
    }
  }

  /** Changes parts by an action; if it fails, nothing happens. */
  #try(action) {
    const draft = { ...this.#parts };
    try {
      action(draft);
      this.#parts = draft;
    } catch {
      // The standard has setters ignore what is no URL.
    }
  }

  get href() {
    const { protocol, username, password, query, fragment } = this.#parts;
    const user = username || password ? `${username}${password ? `:${password}` : ""}@` : "";
    const authority = this.#parts.host === null ? this.#guard() : `//${user}${this.host}`;
    const search = query === null ? "" : `?${query}`;
    return protocol + authority + this.pathname + search + (fragment === null ? "" : `#${fragment}`);
  }

  /** Without a host, a path with an empty first segment must not look like one. */
  #guard() {
    const { path } = this.#parts;
    return typeof path !== "string" && path.length > 1 && path[0] === "" ? "/." : "";
  }

  set href(value) {
    this.#parts = parse(String(value), null);
    URLSearchParams.reset(this.#params, this.#parts.query ?? "");
  }

  get origin() {
    const { protocol } = this.#parts;
    if (protocol === "blob:") return URL.parse(this.pathname)?.origin ?? "null";
    return isSpecial(protocol) && protocol !== "file:" ? `${protocol}//${this.host}` : "null";
  }

  get protocol() {
    return this.#parts.protocol;
  }

  set protocol(value) {
    const scheme = /^([a-z][a-z0-9+.-]*)(:|$)/i.exec(String(value));
    if (!scheme) return;
    const protocol = `${scheme[1].toLowerCase()}:`;
    const before = this.#parts;
    if (isSpecial(protocol) !== isSpecial(before.protocol) || (before.protocol === "file:" && !before.host)) return;
    if (protocol === "file:" && (before.username || before.password || before.port)) return;
    this.#parts.protocol = protocol;
    if (this.#parts.port === PORTS[protocol]) this.#parts.port = "";
  }

  #hasNoUser() {
    return !this.#parts.host || this.#parts.protocol === "file:";
  }

  get username() {
    return this.#parts.username;
  }

  set username(value) {
    if (!this.#hasNoUser()) this.#parts.username = percentEncode(String(value), SETS.userinfo);
  }

  get password() {
    return this.#parts.password;
  }

  set password(value) {
    if (!this.#hasNoUser()) this.#parts.password = percentEncode(String(value), SETS.userinfo);
  }

  get host() {
    const { host, port } = this.#parts;
    return (host ?? "") + (port ? `:${port}` : "");
  }

  set host(value) {
    if (typeof this.#parts.path === "string") return;
    this.#try((draft) => setHostAndPort(draft, String(value).split(isSpecial(draft.protocol) ? /[/\\?#]/ : /[/?#]/)[0]));
  }

  get hostname() {
    return this.#parts.host ?? "";
  }

  set hostname(value) {
    const text = String(value).split(/[/?#]/)[0];
    if (typeof this.#parts.path !== "string" && !/^[^[]*:/.test(text)) this.#try((draft) => setHostAndPort(draft, text));
  }

  get port() {
    return this.#parts.port;
  }

  set port(value) {
    const digits = /^[0-9]*/.exec(String(value))[0];
    if (this.#hasNoUser() || (digits === "" && String(value) !== "")) return;
    this.#try((draft) => {
      draft.port = parsePort(draft, digits);
    });
  }

  get pathname() {
    const { path } = this.#parts;
    return typeof path === "string" ? path : path.map((segment) => `/${segment}`).join("");
  }

  set pathname(value) {
    if (typeof this.#parts.path === "string") return;
    const text = String(value).replace(isSpecial(this.#parts.protocol) ? /^[/\\]/ : /^\//, "");
    const isNone = String(value) === "" && !isSpecial(this.#parts.protocol);
    this.#parts.path = isNone ? [] : segments(this.#parts, text, []);
  }

  get search() {
    return this.#parts.query ? `?${this.#parts.query}` : "";
  }

  set search(value) {
    const text = String(value).replace(/^\?/, "");
    this.#parts.query = String(value) === "" ? null : encodeQuery(this.#parts, text);
    URLSearchParams.reset(this.#params, text);
  }

  get searchParams() {
    return this.#params;
  }

  get hash() {
    return this.#parts.fragment ? `#${this.#parts.fragment}` : "";
  }

  set hash(value) {
    const text = String(value).replace(/^#/, "");
    this.#parts.fragment = String(value) === "" ? null : percentEncode(text, SETS.fragment);
  }

  toString() {
    return this.href;
  }

  toJSON() {
    return this.href;
  }
}
