import { host } from "../host.js";

export const log = (level, context, message) => void host.lines.push({ level, context, message });
