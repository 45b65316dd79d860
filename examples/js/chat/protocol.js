// The messages of clients, and the rules for what is in them.

import { Problem } from "./problem.js";

const NICK_LEN_MAX = 24;
const TEXT_LEN_MAX = 1000;
const KEY = /^[\x21-\x7e]{0,64}$/;
const CONTROL = /[\0-\x1f\x7f-\x9f]/;
const CONTROL_IN_TEXT = /[\0-\x08\x0b-\x1f\x7f-\x9f]/;
// Two nicknames that differ in these alone look the same.
const INVISIBLE = /[\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/;

const isText = (value) => value === undefined || value === null || typeof value === "string";

/** A `join` or a `say`. */
export function readMessage(frame) {
  const message = typeof frame === "string" ? parsed(frame) : null;
  const fits = typeof message?.type === "string" && [message.nick, message.key, message.text].every(isText);
  if (!fits) throw new Problem("not-json");
  const { type, nick, key, text } = message;
  if (type === "join") return { type, nick: nick ?? "", key: key ?? "" };
  if (type === "say") return { type, text: text ?? "" };
  throw new Problem("unknown-type");
}

/** What is posted: JSON, or the text itself. */
export function readPost(body, contentType) {
  const essence = (contentType ?? "").split(";")[0].trim().toLowerCase();
  if (essence !== "application/json") return { nick: "curl", text: body };
  const post = parsed(body);
  if (typeof post?.text !== "string" || !(post.nick === undefined || typeof post.nick === "string")) throw new Problem("bad-body");
  return { nick: post.nick ?? "curl", text: post.text };
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export function checkNick(value) {
  const nick = value.trim();
  if (nick === "") throw new Problem("bad-nick", "is empty");
  if ([...nick].length > NICK_LEN_MAX) throw new Problem("bad-nick", "has more than 24 characters");
  if (CONTROL.test(nick) || INVISIBLE.test(nick)) throw new Problem("bad-nick", "has control characters");
  return nick;
}

export function checkKey(key) {
  if (!KEY.test(key)) throw new Problem("bad-key");
  return key;
}

export function checkText(value) {
  const text = value.trim();
  if (text === "") throw new Problem("bad-text", "is empty");
  if ([...text].length > TEXT_LEN_MAX) throw new Problem("bad-text", "has more than 1000 characters");
  if (CONTROL_IN_TEXT.test(text)) throw new Problem("bad-text", "has control characters");
  return text;
}

export const sameNick = (one, other) => one.toLowerCase() === other.toLowerCase();
