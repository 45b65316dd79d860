import type { CloseCause, Connection, Data, Handshake } from "./index.d.ts";

/** What the host in memory has. */
export const host: {
  /** Forgets everything. */
  reset(): void;
  /** The settings of the plugin. */
  config: Record<string, string>;
  /** The lines that were logged. */
  readonly lines: { level: string; context: string; message: string }[];
  /** What was printed. */
  readonly output: string;
  /** What was sent to a connection, oldest first. */
  sent(id: string): Data[];
  /** What is known of each connection. */
  readonly connections: Map<string, { attachment: Uint8Array; topics: Set<string>; closed: { code: number; reason: string } | null }>;
};

/** Opens a connection, as an event has it. */
export function connection(options?: { id?: string; attachment?: string | Uint8Array; topics?: string[] }): Connection;

/** A handshake, as `accept` has it. */
export function handshake(options?: { path?: string; headers?: Record<string, string>; subprotocols?: string[]; id?: string }): Handshake;

export type { CloseCause };
