// Settings which the operator has written for this plugin.

import * as host from "wasi:config/store@0.2.0-rc.1";
import { fromOption } from "./engine.js";
import { call } from "./error.js";

const TEXTS = {
  upstream: (text) => `the settings can't be read: ${text}`,
  io: (text) => `the settings can't be read: ${text}`,
};

export function get(key) {
  return fromOption(call(TEXTS, () => host.get(key)));
}

export function all() {
  return Object.fromEntries(call(TEXTS, () => host.getAll()));
}
