// What a client did wrong: a code for programs, a text for people.

const TEXTS = {
  "not-json": "a message is a JSON object with a `type`",
  "unknown-type": "the type of a message is `join` or `say`",
  "not-joined": "join the room before you say something",
  "already-joined": "you have joined this room already",
  "nick-taken": "somebody in this room has this nickname",
  "bad-nick": "the nickname",
  "bad-key": "a key has up to 64 printable ASCII characters",
  "bad-text": "the text",
  "room-full": "the room is full",
  "bad-body": "the body is a text, or JSON with `nick` and `text`, of up to 16 KiB",
};

const STATUS = { "nick-taken": 409, "room-full": 503 };

export class Problem extends Error {
  constructor(code, why) {
    super(why ? `${TEXTS[code]} ${why}` : TEXTS[code]);
    this.code = code;
  }

  /** The problem that was thrown; any other error is the host's to report. */
  static in(error) {
    if (error instanceof Problem) return error;
    throw error;
  }

  get status() {
    return STATUS[this.code] ?? 400;
  }

  /** What the client is told. */
  toJSON() {
    return { type: "error", code: this.code, text: this.message };
  }
}
