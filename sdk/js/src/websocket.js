// Between the WIT interface `websocket-handler` and the author's handlers. An error
// which a handler throws is reported here and becomes the failure of one event: it
// never reaches the engine, where it would end the instance.

import { toBytes } from "./bytes.js";
import { Connection } from "./connection.js";
import { NONE } from "./engine.js";
import { Handshake } from "./handshake.js";
import { fromWire } from "./message.js";
import { report } from "./report.js";
import { during } from "./underway.js";

const NOTHING = new Uint8Array(0);
const KNOWN = ["accept", "open", "receive", "close"];

/** The WIT functions for the handlers of a plugin. */
export function websocketExports(handlers) {
  for (const name of Object.keys(handlers)) {
    if (!KNOWN.includes(name)) throw new TypeError(`websocket.${name} is no handler: they are ${KNOWN.join(", ")}`);
  }
  return {
    accept: (request) => during(() => accept(handlers, request)),
    open: (connection) => event(handlers, "open", connection),
    receive: (connection, message) => event(handlers, "receive", connection, fromWire(message)),
    close: (connection, closure) => event(handlers, "close", connection, closure),
  };
}

async function event(handlers, name, wire, detail) {
  if (!handlers[name]) return;
  try {
    await during(() => handlers[name](new Connection(wire), detail));
  } catch (error) {
    report(`websocket.${name}`, error);
    throw { tag: "failed", val: messageOf(error) };
  }
}

async function accept(handlers, request) {
  let answer;
  try {
    const given = handlers.accept && (await handlers.accept(new Handshake(request)));
    answer = await answerOf(given);
  } catch (error) {
    report("websocket.accept", error);
    answer = { rejection: { status: 500, headers: [], body: NOTHING } };
  }
  if (answer.rejection) throw answer.rejection;
  return answer.acceptance;
}

async function answerOf(given) {
  if (given && typeof given.arrayBuffer === "function") {
    const body = new Uint8Array(await given.arrayBuffer());
    return { rejection: { status: given.status, headers: fields(given.headers), body } };
  }
  const { subprotocol, headers, attachment, topics } = given ?? {};
  return {
    acceptance: {
      subprotocol: subprotocol ?? NONE,
      headers: fields(headers),
      attachment: attachment === undefined || attachment === null ? NOTHING : toBytes(attachment),
      topics: topics ?? [],
    },
  };
}

/** Headers, pairs, or an object, as the host wants fields. */
function fields(headers) {
  if (!headers) return [];
  const pairs = typeof headers[Symbol.iterator] === "function" ? [...headers] : Object.entries(headers);
  return pairs.map(([name, value]) => ({ name, value: toBytes(String(value)) }));
}

function messageOf(error) {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
