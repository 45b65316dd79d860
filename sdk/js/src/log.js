// Lines for the host's log, which adds the plugin and the tenant.

import * as host from "wasi:logging/logging@0.1.0-draft";
import { format } from "./format.js";

/** The context of all lines; the host shows it beside the text. */
const CONTEXT = "js";

export function log(level, ...values) {
  host.log(level, CONTEXT, format(values));
}

export const trace = (...values) => log("trace", ...values);
export const debug = (...values) => log("debug", ...values);
export const info = (...values) => log("info", ...values);
export const warn = (...values) => log("warn", ...values);
export const error = (...values) => log("error", ...values);
export const critical = (...values) => log("critical", ...values);
