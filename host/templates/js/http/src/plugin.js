// HTTP requests. Open the URL that `holdfast dev` prints, change a text below, and save.

import { escaped } from "./html.js";

export default {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname !== "/") return refuse(404, "There is nothing here.\n");
    if (request.method === "GET" || request.method === "HEAD") return page("world");
    if (request.method === "POST") return page((await request.text()).slice(0, NAME_LEN_MAX));
    return refuse(405, "GET it, or POST a name\n");
  },
};

/** The longest name, in characters. */
const NAME_LEN_MAX = 100;

function page(name) {
  const html = `<!doctype html>\n<meta charset="utf-8">\n<title>{{name}}</title>\n<h1>Hello, ${escaped(name)}!</h1>\n`;
  return new Response(html, { headers: { "content-type": "text/html; charset=utf-8" } });
}

function refuse(status, text) {
  return new Response(text, { status, headers: { "content-type": "text/plain; charset=utf-8" } });
}
