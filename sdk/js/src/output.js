// The standard output, which the host writes to its log.

import * as stdout from "wasi:cli/stdout@0.2.10";
import { toBytes } from "./bytes.js";

/** What one write may have, as `wasi:io` has it. */
const PIECE_BYTES_MAX = 4096;

/** Writes a line. */
export function print(text) {
  const stream = stdout.getStdout();
  const bytes = toBytes(`${text}\n`);
  for (let at = 0; at < bytes.length; at += PIECE_BYTES_MAX) {
    stream.blockingWriteAndFlush(bytes.subarray(at, at + PIECE_BYTES_MAX));
  }
}
