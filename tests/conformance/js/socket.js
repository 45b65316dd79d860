// The WebSocket half: one command for each message.

import { HostError, config, connections, keyvalue, log, print, sleep, topics } from "holdfast";

const LARGE = "x";

export const socket = {
  accept(handshake) {
    const attachment = handshake.path + (handshake.query ? `?${handshake.query}` : "");
    const { path } = handshake;
    if (path === "/trap") throw new Error("told to trap in accept");
    if (path === "/refuse") return new Response("refused", { status: 403, headers: { "x-why": "refused" } });
    if (path === "/protocol") return { attachment, subprotocol: handshake.subprotocols.at(-1) };
    if (path === "/headers") return { attachment, headers: { "x-conformance": "yes" } };
    if (path.startsWith("/topic/")) return { attachment, topics: [path.slice("/topic/".length)] };
    return { attachment };
  },

  open(connection) {
    const path = connection.attachmentText.split("?")[0];
    if (path === "/greet") connection.send("open");
    if (path === "/trap-open") throw new Error("told to trap in open");
  },

  async receive(connection, message) {
    if (typeof message !== "string") {
      connection.send(message);
      return;
    }
    const [name] = message.split(" ", 1);
    const command = Object.hasOwn(commands, name) ? commands[name] : null;
    const answer = command ? await command(connection, message.slice(name.length + 1)) : `no such command: ${name}`;
    if (answer !== undefined) connections.send(connection.id, answer);
  },

  close(connection, { cause, code, reason }) {
    const observer = new URLSearchParams(connection.attachmentText.split("?")[1]).get("observer");
    if (observer) topics.publish(observer, `closed ${cause} ${code} ${reason}`);
  },
};

const store = () => keyvalue.open("default");

/** Splits off the first word. */
function words(text) {
  const at = text.indexOf(" ");
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

/** The answer of an action, or the host's word for why not. */
function or(action, text = ({ code, value }) => (value === null ? code : `${code} ${value}`)) {
  try {
    return action();
  } catch (error) {
    if (error instanceof HostError) return text(error);
    throw error;
  }
}

const delivery = ({ queued, full }) => `queued ${queued} full ${full}`;

const commands = {
  echo: (_, text) => text,
  id: (connection) => connection.id,
  attachment: ({ attachmentVersion, attachmentText }) => `${attachmentVersion} ${attachmentText}`,
  remember: (connection, text) => or(() => `remembered ${connection.setAttachment(text, connection.attachmentVersion)}`),
  stale: (connection, text) => or(() => `remembered ${connection.setAttachment(text, 999)}`),
  peer(_, id) {
    const state = connections.get(id);
    return state ? new TextDecoder().decode(state.attachment) : "none";
  },
  send(_, text) {
    const [id, message] = words(text);
    return or(() => (connections.send(id, message), "queued"));
  },
  close(connection, text) {
    const [code, reason] = words(text);
    return or(() => connection.close(Number(code), reason));
  },
  subscribe: (connection, topic) => or(() => (connection.subscribe(topic), "subscribed")),
  unsubscribe: (connection, topic) => (connection.unsubscribe(topic), "unsubscribed"),
  publish(_, text) {
    const [topic, message] = words(text);
    return or(() => delivery(topics.publish(topic, message)));
  },
  others(connection, text) {
    const [topic, message] = words(text);
    return or(() => delivery(topics.publish(topic, message, { except: connection.id })));
  },
  count: (_, topic) => String(topics.count(topic)),
  subscribers: (_, topic) =>
    topics
      .subscribers(topic)
      .map((subscriber) => subscriber.connection)
      .sort()
      .join(" "),
  config: (_, key) => config.get(key) ?? "none",
  set(_, text) {
    const [key, value] = words(text);
    store().set(key, value);
    return "done";
  },
  get: (_, key) => store().getText(key) ?? "none",
  delete: (_, key) => (store().delete(key), "done"),
  exists: (_, key) => String(store().exists(key)),
  increment(_, text) {
    const [key, delta] = words(text);
    return String(store().increment(key, Number(delta)));
  },
  keys: () => store().keys().sort().join(" "),
  log(_, text) {
    const [level, line] = words(text);
    log.log(level, line);
    return "logged";
  },
  print: (_, text) => (print(text), "printed"),
  large: (_, count) => LARGE.repeat(Number(count)),
  "too-large": (connection, length) => or(() => void connection.send(LARGE.repeat(Number(length)))),
  time: () => String(Date.now()),
  random: () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join(""),
  async sleep(_, milliseconds) {
    await sleep(Number(milliseconds));
    return "slept";
  },
  fail(_, text) {
    throw new Error(text);
  },
  trap() {
    throw new Error("told to trap");
  },
  fetch: (_, url) => fetched(url),
};

/** What a server answers, in one line. */
export async function fetched(url) {
  try {
    const response = await fetch(url);
    return `${response.status} ${await response.text()}`;
  } catch (error) {
    return `error: ${error.message}`;
  }
}
