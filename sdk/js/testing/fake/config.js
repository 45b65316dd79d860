import { host } from "../host.js";

export const get = (key) => host.config[key] ?? null;

export const getAll = () => Object.entries(host.config);
