/**
 * Write Holdfast plugins in JavaScript or TypeScript.
 *
 * A plugin is the default export of a module: `fetch` for HTTP requests, `websocket` for
 * the events of connections, or both.
 *
 * ```js
 * export default {
 *   fetch: () => new Response("hello\n"),
 *   websocket: {
 *     receive(connection, message) {
 *       connection.send(message);
 *     },
 *   },
 * };
 * ```
 *
 * - **State.** The host runs as many instances of a plugin as it needs, ends them when it
 *   likes, and replaces the code under open connections. Nothing in a variable is there
 *   at the next event. State is in attachments, in `topics` and in `keyvalue`.
 * - **The top level** of a module runs once, while the component is built. The host is
 *   not there yet: call it in handlers.
 * - **Errors** which a handler throws are in the host's log with their stack. They fail
 *   one event: 500, or what `on_error` in the manifest says of the WebSocket.
 */

/// <reference path="./globals.d.ts" preserve="true" />

type Awaitable<T> = T | Promise<T>;

/** What a module exports as its default. */
export interface Plugin {
  /** Answers an HTTP request. */
  fetch?(request: Request): Awaitable<Response>;
  /** Handles the events of WebSockets. */
  websocket?: WebSocketHandlers;
  /** Says how attachments of earlier code become ones of this code. */
  attachments?: Attachments;
}

/**
 * The events of a connection: `accept` once, then `open` once, then `receive` for each
 * message in order, one at a time, then `close` exactly once, whatever happened.
 * Different connections run concurrently, in several instances.
 */
export interface WebSocketHandlers {
  /** Decides about an opening handshake: a `Response` refuses it. Without this handler, all are accepted. */
  accept?(handshake: Handshake): Awaitable<Accept | Response | undefined | void>;
  /** The connection is open: the client has been sent its 101. */
  open?(connection: Connection): Awaitable<void>;
  /** A message arrived: a string if it is a text, otherwise bytes. */
  receive?(connection: Connection, message: string | Uint8Array): Awaitable<void>;
  /**
   * The connection has ended. Nothing can be sent to it any more; its subscriptions are
   * gone. Its attachment is given a last time.
   */
  close?(connection: Connection, closure: Closure): Awaitable<void>;
}

/** What a message or a value may be: a string, or bytes. */
export type Data = string | ArrayBuffer | ArrayBufferView;

/** Accepts a handshake. */
export interface Accept {
  /** One of the offered subprotocols. Any other makes the host answer 500. */
  subprotocol?: string;
  /** Fields for the 101 response, without those of the handshake itself. */
  headers?: Headers | Record<string, string> | [string, string][];
  /** What the host keeps for the connection and gives to each of its events; 4 KiB unless configured otherwise. */
  attachment?: Data;
  /** Topics to which the connection is subscribed before its first event. */
  topics?: string[];
}

/** An opening handshake (RFC 6455, section 4.2.1), found to be well formed by the host. */
export class Handshake {
  private constructor();
  /** The id which the connection will have if it is accepted. Messages to it are queued from now on. */
  readonly id: string;
  /** The whole URL, with `http` or `https`. */
  readonly url: string;
  /** The path as the client sent it, still percent-encoded. */
  readonly path: string;
  /** The query as the client sent it, without the question mark; empty for none. */
  readonly query: string;
  /** The query, decoded. */
  readonly searchParams: URLSearchParams;
  /** All header fields. */
  readonly headers: Headers;
  /** The values of a header field, joined by a comma; null if it is not there. */
  header(name: string): string | null;
  /** The subprotocols the client offers, best first. */
  readonly subprotocols: string[];
  /** Address of the client, `ADDRESS:PORT`. */
  readonly remoteAddress: string;
}

/**
 * The connection an event belongs to. It lives as long as the event: what has to outlive
 * it goes into the attachment.
 */
export class Connection {
  private constructor();
  /** Opaque, unguessable, and meaningful only inside the tenant. See `connections`. */
  readonly id: string;
  /** The attachment as it was when the event began. */
  readonly attachment: Uint8Array;
  /** The same as text, from UTF-8. */
  readonly attachmentText: string;
  /** The same, parsed as JSON. */
  readonly attachmentJson: any;
  /** Counts the changes of the attachment, from 0 at the handshake. */
  readonly attachmentVersion: number;
  /** Bytes that were queued for the client, and not yet written, when the event began. */
  readonly bufferedBytes: number;
  /** See `connections.send`. */
  send(message: Data): number;
  /** See `connections.close`. */
  close(code?: number, reason?: string): void;
  /** See `connections.setAttachment`. */
  setAttachment(attachment: Data, expected?: number | null): number;
  /** See `topics.subscribe`. */
  subscribe(topic: string): void;
  /** See `topics.unsubscribe`. */
  unsubscribe(topic: string): void;
}

/** How a connection ended. */
export interface Closure {
  cause: CloseCause;
  /**
   * The status code (RFC 6455, section 7.4): the client's for `client`, otherwise the one
   * the host sent; 1005 if the client gave none, 1006 if no close frame was received.
   */
  code: number;
  /** The reason that came with the code; at most 123 bytes. */
  reason: string;
}

/** Why a connection ended; `wit/websocket-0.1.0/types.wit` explains each. */
export type CloseCause =
  | "client"
  | "server"
  | "idle"
  | "slow-consumer"
  | "limit"
  | "error"
  | "deploy"
  | "drain"
  | "connection-lost";

/** The format of a plugin's attachments, and how to come to it from others. */
export interface Attachments {
  /** The name of the format that this code reads and writes: at most 64 bytes. Code without one has "". */
  format: string;
  /** Turns an attachment of another format into one of this. It only computes; an error leaves the connection with the code it had. */
  migrate(from: string, attachment: Uint8Array): Data;
}

/** What the host has refused: `code` has the words of the WIT interface. */
export class HostError extends Error {
  constructor(code: string, value: number | string | null, message: string);
  readonly code: string;
  /** The number that belongs to it: bytes in the queue, the limit, or the version now. */
  readonly value: number | string | null;
}

/** Connections of the tenant, by id, from any handler, HTTP included. Every function returns at once. */
export namespace connections {
  /**
   * Queues a message; the host writes it when the socket takes it. Returns the number of
   * bytes now waiting for this client. Delivery is at most once.
   * @throws {HostError} `gone`, `full` or `too-large`
   */
  function send(connection: string, message: Data): number;
  /**
   * Closes a connection after what is already queued for it has been sent; 1000 if no code is given.
   * @throws {HostError} `gone`, `invalid-code` or `reason-too-long`
   */
  function close(connection: string, code?: number, reason?: string): void;
  /** Reads a connection's state; null if there is no such connection. */
  function get(connection: string): State | null;
  /**
   * Replaces the attachment and returns its new version; with `expected`, only if it is
   * still at that one.
   * @throws {HostError} `gone`, `conflict` or `too-large`
   */
  function setAttachment(connection: string, attachment: Data, expected?: number | null): number;

  /** What the host knows of a connection. */
  interface State {
    attachment: Uint8Array;
    attachmentVersion: number;
    bufferedBytes: number;
  }
}

/** Named groups of connections within the tenant. The host does the fan-out. */
export namespace topics {
  /** The most subscribers that one call lists. */
  const SUBSCRIBERS_MAX: number;
  /**
   * Subscribes a connection. Doing so twice is no error.
   * @throws {HostError} `gone`, `too-many` or `invalid-name`
   */
  function subscribe(connection: string, topic: string): void;
  /** Ends a subscription. Ending one that is not there is no error. */
  function unsubscribe(connection: string, topic: string): void;
  /**
   * Queues a message for every subscriber, but not for the connection `except`.
   * @throws {HostError} `too-large`
   */
  function publish(topic: string, message: Data, options?: { except?: string }): Delivery;
  /** How many connections are subscribed. */
  function count(topic: string): number;
  /** The subscribers and their attachments, in no particular order. */
  function subscribers(topic: string, limit?: number): Subscriber[];

  /** What became of a published message. */
  interface Delivery {
    /** Connections in whose queue it is now. */
    queued: number;
    /** Connections whose queue was full, under the policy to wait. */
    full: number;
  }

  /** A connection that is subscribed to a topic. */
  interface Subscriber {
    connection: string;
    attachment: Uint8Array;
  }
}

/** Keys and values which outlive connections, instances and versions of the plugin. */
export namespace keyvalue {
  /** How often `update` tries before it gives up. */
  const ATTEMPTS_MAX: number;
  /**
   * Opens a store; `default`, which is opened without a name, is there wherever stores are granted.
   * @throws {HostError} `no-such-store` or `access-denied`
   */
  function open(name?: string): Store;

  /** A named bucket. Any of its functions may throw a `HostError`. */
  class Store {
    private constructor();
    /** The value of a key; null if it has none. */
    get(key: string): Uint8Array | null;
    /** The same as text. */
    getText(key: string): string | null;
    /** The same, parsed as JSON. */
    getJson(key: string): any;
    /** Sets a value, whatever there was. */
    set(key: string, value: Data): void;
    /** Sets it to what JSON says of a value. */
    setJson(key: string, value: unknown): void;
    /** Removes a key. Removing one that is not there is no error. */
    delete(key: string): void;
    /** Whether a key has a value. */
    exists(key: string): boolean;
    /** All keys, in the order of the store. */
    keys(): string[];
    /** The values of several keys in one call; null for those which have none. */
    getMany(keys: string[]): Map<string, Uint8Array | null>;
    /** Sets several values in one call. */
    setMany(pairs: Iterable<[string, Data]>): void;
    /** Removes several keys in one call. */
    deleteMany(keys: Iterable<string>): void;
    /** Adds to a number, which is 0 where the key has no value, and returns the sum. */
    increment(key: string, delta?: number): number;
    /**
     * Replaces a value by what `change` makes of it, and returns the new one. No other
     * change comes between: `change` is called again when one did, so it only computes.
     */
    update(key: string, change: (value: Uint8Array | null) => Data): Uint8Array;
  }
}

/** Settings which the operator has written for this plugin. */
export namespace config {
  /** The value of a key; null if it is not set. */
  function get(key: string): string | null;
  /** All keys and values. */
  function all(): Record<string, string>;
}

/** Lines for the host's log, which adds the plugin and the tenant. `console` writes them too. */
export namespace log {
  type Level = "trace" | "debug" | "info" | "warn" | "error" | "critical";
  function log(level: Level, ...values: unknown[]): void;
  function trace(...values: unknown[]): void;
  function debug(...values: unknown[]): void;
  function info(...values: unknown[]): void;
  function warn(...values: unknown[]): void;
  function error(...values: unknown[]): void;
  function critical(...values: unknown[]): void;
}

/** Waits so many milliseconds. The wait counts towards the event's deadline. */
export function sleep(milliseconds: number): Promise<void>;

/** Writes a line to the standard output, which the host puts into its log. */
export function print(text: string): void;
