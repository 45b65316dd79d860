import { describe } from "./format.js";
import { error as logError } from "./log.js";

/** Tells the log of an error which nobody has caught, with its stack. */
export function report(where, error) {
  logError(`${where} failed: ${describe(error)}`);
}
