import { host } from "../host.js";

export const getStdout = () => ({
  blockingWriteAndFlush(bytes) {
    host.output += Buffer.from(bytes).toString();
  },
});
