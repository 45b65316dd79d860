import { host, refuse } from "../host.js";

const TOPIC_BYTES_MAX = 255;

export function subscribe(id, topic) {
  const connection = host.find(id) ?? refuse("gone");
  if (topic === "" || topic.length > TOPIC_BYTES_MAX) refuse("invalid-name", TOPIC_BYTES_MAX);
  connection.topics.add(topic);
}

export function unsubscribe(id, topic) {
  host.find(id)?.topics.delete(topic);
}

export function publish(topic, message, except) {
  const others = host.subscribers(topic).filter(([id]) => id !== except);
  for (const [id] of others) host.send(id, message);
  return { queued: others.length, full: 0 };
}

export const count = (topic) => host.subscribers(topic).length;

export function subscribers(topic, limit) {
  const found = host.subscribers(topic).slice(0, limit);
  return found.map(([connection, { attachment }]) => ({ connection, attachment }));
}
