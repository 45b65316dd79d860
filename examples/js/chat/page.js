// The page, which is that of plugins/chat.

import html from "../../../plugins/chat/page/page.html";
import style from "../../../plugins/chat/page/page.css";
import script from "../../../plugins/chat/page/page.js?text";

/** Nothing from elsewhere, nothing inline, and no frame around it. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
  "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const FILES = {
  "page.html": { text: html, type: "text/html" },
  "page.css": { text: style, type: "text/css" },
  "page.js": { text: script, type: "text/javascript" },
};

/** The page finds the others at `base`, and can send people to a room by a path. */
function at(base, html) {
  return html.replaceAll('"page.', `"${base}page.`).replace("<html ", '<html data-rooms="rooms/" ');
}

/** A file. */
export function page(name, base = "") {
  const { text, type } = FILES[name];
  const headers = {
    "content-type": `${type}; charset=utf-8`,
    "cache-control": "no-cache",
    "x-content-type-options": "nosniff",
    ...(name === "page.html" ? { "content-security-policy": POLICY, "referrer-policy": "no-referrer" } : {}),
  };
  return new Response(name === "page.html" ? at(base, text) : text, { headers });
}
