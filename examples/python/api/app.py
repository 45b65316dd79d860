"""Notes: an HTTP API whose state is in the key-value store.

GET and POST /notes; GET, PUT and DELETE /notes/ID.
"""

import holdfast
from holdfast import errors, keyvalue
from holdfast.http import Request, Response

PREFIX = "note/"
BODY_BYTES_MAX = 64 << 10


async def handle(request: Request) -> Response:
    match request.path.split("/")[1:]:
        case ["notes"]:
            return await collection(request)
        case ["notes", id] if id.isascii() and id.isdigit():
            return await note(request, id)
    return problem(404, "there is nothing here")


async def collection(request: Request) -> Response:
    store = keyvalue.open()
    if request.method in ("GET", "HEAD"):
        keys = [key for key in store.keys() if key.startswith(PREFIX)]
        found = store.get_many(sorted(keys, key=number))
        return Response.of_json([shown(key.removeprefix(PREFIX), text) for key, text in found.items()])
    if request.method != "POST":
        return not_allowed("GET, HEAD, POST")
    text = await text_of(request)
    if text is None:
        return problem(400, "the body is to be a JSON object with a `text`")
    id = str(store.increment("notes"))
    store.set(PREFIX + id, text)
    return Response.of_json(shown(id, text), 201, {"location": f"/notes/{id}"})


async def note(request: Request, id: str) -> Response:
    store = keyvalue.open()
    if request.method not in ("GET", "HEAD", "PUT", "DELETE"):
        return not_allowed("GET, HEAD, PUT, DELETE")
    text = store.get(PREFIX + id)
    if text is None:
        return problem(404, "there is no such note")
    if request.method == "DELETE":
        store.delete(PREFIX + id)
        return Response(status=204)
    if request.method == "PUT":
        text = await text_of(request)
        if text is None:
            return problem(400, "the body is to be a JSON object with a `text`")
        store.set(PREFIX + id, text)
    return Response.of_json(shown(id, text))


async def text_of(request: Request) -> bytes | None:
    """The text in a request's body, if that is what it has to be."""
    try:
        body = await request.json(BODY_BYTES_MAX)
        text: object = body["text"]
    except (ValueError, TypeError, KeyError, errors.BodyTooLarge):
        return None
    return text.encode() if isinstance(text, str) else None


def number(key: str) -> int:
    return int(key.removeprefix(PREFIX))


def shown(id: str, text: bytes) -> dict[str, str]:
    return {"id": id, "text": text.decode()}


def problem(status: int, text: str) -> Response:
    return Response.of_json({"error": text}, status)


def not_allowed(methods: str) -> Response:
    response = problem(405, "not this method")
    response.headers["allow"] = methods
    return response


holdfast.export(http=handle)
