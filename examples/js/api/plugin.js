// An HTTP API with state: notes, in the key-value store of the host.

import { keyvalue } from "holdfast";

const BODY_BYTES_MAX = 16 << 10;

export default {
  async fetch(request) {
    const [, collection, id, ...rest] = new URL(request.url).pathname.split("/");
    if (collection !== "notes" || rest.length > 0 || id === "") return fail(404, "there is nothing here");
    const methods = id === undefined ? ALL : ONE;
    const method = Object.hasOwn(methods, request.method) ? methods[request.method] : null;
    if (!method) return fail(405, "not this method", { allow: Object.keys(methods).join(", ") });
    try {
      return await method(request, id);
    } catch (error) {
      if (error instanceof Refusal) return fail(error.status, error.message);
      throw error;
    }
  },
};

/** What a client did wrong. */
class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

const ALL = {
  GET() {
    const store = keyvalue.open("default");
    const ids = store.keys().filter((key) => key.startsWith("notes/")).map((key) => key.slice("notes/".length));
    // One may have been deleted since.
    const notes = ids.map((id) => store.getJson(`notes/${id}`)).filter((note) => note !== null);
    return Response.json(notes.sort((one, other) => Number(one.id) - Number(other.id)));
  },
  async POST(request) {
    const text = await textOf(request);
    const store = keyvalue.open("default");
    const note = { id: String(store.increment("last-note", 1)), text };
    store.setJson(`notes/${note.id}`, note);
    return Response.json(note, { status: 201, headers: { location: `/notes/${note.id}` } });
  },
};

const ONE = {
  GET: (_, id) => Response.json(noteOf(id)),
  async PUT(request, id) {
    const text = await textOf(request);
    const note = { ...noteOf(id), text };
    keyvalue.open("default").setJson(`notes/${id}`, note);
    return Response.json(note);
  },
  DELETE(_, id) {
    noteOf(id);
    keyvalue.open("default").delete(`notes/${id}`);
    return new Response(null, { status: 204 });
  },
};

function noteOf(id) {
  const note = keyvalue.open("default").getJson(`notes/${id}`);
  if (note === null) throw new Refusal(404, "there is no such note");
  return note;
}

async function textOf(request) {
  const bytes = new Uint8Array(await request.arrayBuffer());
  if (bytes.length > BODY_BYTES_MAX) throw new Refusal(400, "the body has more than 16 KiB");
  let value;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw new Refusal(400, "the body is not JSON");
  }
  if (typeof value?.text !== "string") throw new Refusal(400, 'the body is {"text": "…"}');
  return value.text;
}

function fail(status, error, headers = {}) {
  return Response.json({ error }, { status, headers });
}
