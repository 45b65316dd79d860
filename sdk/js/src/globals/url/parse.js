// Reads a URL (url.spec.whatwg.org, section 4): not by the standard's state machine,
// but by the parts that it finds, in the same order.

import { parseHost } from "./host.js";
import { SETS, percentEncode } from "./percent.js";

/** The schemes with a host, and their ports. */
export const PORTS = { "http:": "80", "https:": "443", "ws:": "80", "wss:": "443", "ftp:": "21", "file:": "" };

export const isSpecial = (protocol) => Object.hasOwn(PORTS, protocol);

const fail = () => {
  throw new TypeError("Invalid URL");
};

/**
 * The parts of a URL: `protocol` with its colon, `username`, `password`, `host` (null
 * for none), `port`, `path` (a string if it is opaque, else a list), `query` and
 * `fragment` (null for none).
 */
export function parse(input, base) {
  const text = input.replace(/^[\0-\x20]+|[\0-\x20]+$/g, "").replace(/[\t\n\r]/g, "");
  const [beforeFragment, fragment] = cut(text, "#");
  const url = { protocol: "", username: "", password: "", host: null, port: "", path: [], query: null, fragment: null };
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(beforeFragment);
  if (scheme) {
    url.protocol = scheme[0].toLowerCase();
    absolute(url, beforeFragment.slice(scheme[0].length), base);
  } else {
    if (!base) fail();
    relative(url, beforeFragment, base, fragment);
  }
  url.fragment = fragment === null ? null : percentEncode(fragment, SETS.fragment);
  return url;
}

function absolute(url, rest, base) {
  if (!isSpecial(url.protocol)) {
    const [path, query] = cut(rest, "?");
    url.query = encodeQuery(url, query);
    if (path.startsWith("//")) return withAuthority(url, path.slice(2));
    if (path.startsWith("/")) url.path = segments(url, path.slice(1), []);
    else url.path = opaque(path, query);
    return;
  }
  const isOfBase = base?.protocol === url.protocol && typeof base.path !== "string";
  if (isOfBase && !/^[/\\]{2}/.test(rest)) return relative(url, rest, base, null);
  const [path, query] = cut(rest, "?");
  url.query = encodeQuery(url, query);
  if (url.protocol === "file:") return withFile(url, path, null);
  withAuthority(url, path.replace(/^[/\\]+/, ""));
}

function opaque(path, query) {
  const text = percentEncode(path, SETS.c0);
  return query === null ? text.replace(/ +$/, (spaces) => `${" ".repeat(spaces.length - 1)}%20`) : text;
}

function relative(url, rest, base, fragment) {
  url.protocol = base.protocol;
  const [path, query] = cut(rest, "?");
  if (typeof base.path === "string") {
    if (rest !== "" || fragment === null) fail();
    return Object.assign(url, { path: base.path, query: base.query });
  }
  const slash = isSpecial(url.protocol) ? /^[/\\]/ : /^\//;
  url.query = encodeQuery(url, query);
  if (url.protocol === "file:") return withFile(url, path, base, query);
  if (slash.test(path) && slash.test(path.slice(1))) {
    const authority = path.slice(2);
    return withAuthority(url, isSpecial(url.protocol) ? authority.replace(/^[/\\]+/, "") : authority);
  }
  const { username, password, host, port } = base;
  Object.assign(url, { username, password, host, port });
  mergePath(url, path, query, base, slash);
}

function mergePath(url, path, query, base, slash) {
  if (slash.test(path)) {
    url.path = segments(url, path.slice(1), []);
  } else if (path === "") {
    url.path = [...base.path];
    if (query === null) url.query = base.query;
  } else {
    url.path = segments(url, path, base.path.slice(0, -1));
  }
}

/** Files have no port and no user, and may have no host. */
function withFile(url, path, base, query) {
  url.host = "";
  if (/^[/\\]{2}/.test(path)) {
    const [, host, rest] = /^([^/\\]*)(.*)$/s.exec(path.slice(2));
    const parsed = host === "" ? "" : parseHost(host, true);
    url.host = parsed === "localhost" ? "" : parsed;
    url.path = segments(url, rest.replace(/^[/\\]/, ""), []);
  } else {
    url.host = base?.host ?? "";
    mergePath(url, path, query ?? null, base ?? { path: [], query: null }, /^[/\\]/);
  }
}

function withAuthority(url, text) {
  const special = isSpecial(url.protocol);
  const [, authority, rest] = (special ? /^([^/\\]*)(.*)$/s : /^([^/]*)(.*)$/s).exec(text);
  const at = authority.lastIndexOf("@");
  if (at >= 0) {
    const [username, password] = cut(authority.slice(0, at), ":");
    url.username = percentEncode(username, SETS.userinfo);
    url.password = percentEncode(password ?? "", SETS.userinfo);
  }
  setHostAndPort(url, authority.slice(at + 1), at >= 0);
  if (rest !== "") url.path = segments(url, rest.slice(1), []);
  else if (special) url.path = [""];
}

export function setHostAndPort(url, text, hasUser = false) {
  const [, host, , port] = /^(\[[^\]]*\]|[^:]*)(:(.*))?$/s.exec(text) ?? fail();
  if (port !== undefined && url.protocol === "file:") fail();
  if (host === "" && (isSpecial(url.protocol) || hasUser || port)) fail();
  url.host = host === "" ? "" : parseHost(host, isSpecial(url.protocol));
  if (port !== undefined) url.port = parsePort(url, port);
}

export function parsePort(url, text) {
  if (text === "") return "";
  if (!/^[0-9]+$/.test(text) || Number(text) > 65535) fail();
  const port = String(Number(text));
  return port === PORTS[url.protocol] ? "" : port;
}

/** The path's segments, without dots, appended to those that there are. */
export function segments(url, text, before) {
  const path = [...before];
  const parts = text.split(isSpecial(url.protocol) ? /[/\\]/ : "/");
  parts.forEach((part, index) => {
    const isLast = index === parts.length - 1;
    const plain = part.replace(/%2e/gi, ".");
    if (plain === "..") path.pop();
    if (plain === ".." || plain === ".") {
      if (isLast) path.push("");
    } else {
      path.push(percentEncode(part, SETS.path));
    }
  });
  return path;
}

export function encodeQuery(url, query) {
  if (query === null) return null;
  return percentEncode(query, isSpecial(url.protocol) ? SETS.specialQuery : SETS.query);
}

function cut(text, mark) {
  const at = text.indexOf(mark);
  return at < 0 ? [text, null] : [text.slice(0, at), text.slice(at + 1)];
}
