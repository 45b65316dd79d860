// URL and URLSearchParams, with node's for reference.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as ours from "../src/globals/url.js";

const PARTS = "href origin protocol username password host hostname port pathname search hash".split(" ");

const INPUTS = [
  "http://a/b?c#d", "HTTP://EX.com:80/a/../b/./c", "http://user:pa ss@host:8080/x y?q='a'#f f", "//x/y", "/abs", "rel/../z", "?q", "#f",
  "", "http:foo", "https:foo", "http:\\\\a\\b", "mailto:a@b", "http://[::1]:3000/", "http://[1:2:0:0:0:0:7:8]/", "http://[1::2::3]/",
  "http://[::1.2.3.4]/", "http://0x7f.1/", "http://256.1.1.1/", "http://1.2.3/", "http://017.1/", "http://münchen.de/ä?ö#ü", "http://例え.jp/",
  "ws://a:80", "wss://a:443", "file:///a/b", "file://host/x", "file:a", "http://a b/", "http://", "http:///x", "http://a:99999", "http://a:",
  "foo://h:1/p/..", "foo:/a/b", "foo:a b", "http://a/%2e%2e/b", "http://a/b/%2E", "http://a?x", "http://a#", "http://a?", "  http://a  ",
  "http://a\n/b", "javascript:alert(1)", "http://user@/x", "http://%41.com", "http://a.com./", "http://EXAMPLE.com/a|b{c}", "blob:http://a/b",
  "http://a/;x=1/,y", "./", "..", "http://xn--/", "non-special://[::1]/a", "http://1e2/", "http://a/?a=%zz&b=é'\"", "data:text/plain,hi",
];
const BASES = [undefined, "http://b/c/d/e?f#g", "https://h/", "foo://x/y/z", "file:///p/q", "mailto:x"];

const shape = (kind, input, base) => {
  try {
    const url = new kind(input, base);
    return PARTS.map((part) => `${part} ${url[part]}`);
  } catch (error) {
    assert.ok(error instanceof TypeError, error.stack);
    return "no URL";
  }
};

test("URLs are read as node reads them", () => {
  for (const base of BASES) {
    for (const input of INPUTS) {
      assert.deepEqual(shape(ours.URL, input, base), shape(URL, input, base), `${JSON.stringify(input)} at ${base}`);
    }
  }
});

test("parts of URLs can be set", () => {
  const changes = {
    href: ["http://other/", "junk"], protocol: ["https", "foo:", "1"], username: ["ä:b"], password: ["p@"], host: ["h:81", "h:80", "x/y", "a b", ""],
    hostname: ["z", "z:1", ""], port: ["8080", "80", "", "12x", "x", "70000"], pathname: ["a/../b c", "/x", ""], search: ["?a b", "x=1", "?", ""],
    hash: ["#a b", "y", ""],
  };
  for (const start of ["http://u:p@a:81/b/c?d#e", "foo://h/p", "mailto:a@b", "file:///x"]) {
    for (const [part, values] of Object.entries(changes)) {
      for (const value of values) {
        const both = [URL, ours.URL].map((kind) => {
          const url = new kind(start);
          try {
            url[part] = value;
          } catch (error) {
            return error.name;
          }
          return url.href;
        });
        assert.equal(both[1], both[0], `${start}: ${part} = ${JSON.stringify(value)}`);
      }
    }
  }
});

test("the parameters of a URL and its query are one", () => {
  for (const kind of [URL, ours.URL]) {
    const url = new kind("http://a/?x=1&y=%20z&x=+2");
    assert.deepEqual(url.searchParams.getAll("x"), ["1", " 2"]);
    url.searchParams.append("ä", "&=");
    assert.equal(url.href, "http://a/?x=1&y=+z&x=+2&%C3%A4=%26%3D");
    url.search = "?new=1";
    assert.equal(url.searchParams.get("new"), "1");
    url.searchParams.delete("new");
    assert.equal(url.href, "http://a/");
  }
});

test("search parameters do what node's do", () => {
  const runs = [
    (params) => params.set("a", "9"),
    (params) => params.set("new", "1"),
    (params) => params.delete("a"),
    (params) => params.delete("a", "3"),
    (params) => params.sort(),
    (params) => params.append("z", "ü 𝄞*-._~!'()"),
  ];
  const inits = ["?b=2&a=1&a=3&&c", "x=%F0%9F&y=+", { k: "v w", n: 1 }, [["p", "q"]], new Map([["m", "1"]])];
  for (const init of inits) {
    for (const run of runs) {
      const both = [URLSearchParams, ours.URLSearchParams].map((kind) => {
        const params = new kind(init);
        run(params);
        return [String(params), [...params], params.has("a"), params.get("b"), params.size];
      });
      assert.deepEqual(both[1], both[0]);
    }
  }
  assert.throws(() => new ours.URLSearchParams([["one"]]), TypeError);
});
