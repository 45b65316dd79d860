// What a path means. Whatever stands before the last part that is ours is ignored, so
// that the plugin works under any prefix.

export const ROOM_RULE = "the name of a room has 1 to 64 letters (a to z, A to Z), digits, `-` and `_`";

const ROOM = /^[A-Za-z0-9_-]{1,64}$/;

export function routeOf(path) {
  const [third, second, last] = ["", "", "", ...path.split("/")].slice(-3);
  if (third === "rooms" && (last === "messages" || last === "members")) return inside(second, last);
  if (second === "rooms") return inside(last, "room");
  if (last === "") return { name: "front" };
  if (last === "page.css" || last === "page.js") return { name: "asset", file: last };
  return { name: "unknown" };
}

function inside(room, name) {
  return ROOM.test(room) ? { name, room } : { name: "bad-room" };
}
