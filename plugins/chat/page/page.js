// The chat's page. Whatever comes from others is put into the page as text,
// never as HTML. The messages are documented in the plugin's README.

const NICK_KEY = "holdfast-chat-nick";
const KEY_KEY = "holdfast-chat-key";
const NICK_LEN_MAX = 24;
// The close code that says that this tab's place was taken by its own key.
const REPLACED = 4000;
const ROOM_PATTERN = /^[A-Za-z0-9_-]{1,64}$/;
const RETRY_MIN_MS = 500;
const RETRY_MAX_MS = 15000;
// A connection that has lived this long was a good one: start over at the minimum.
const STEADY_MS = 5000;
const LOG_LEN_MAX = 500;

const $ = (id) => document.getElementById(id);
// The room is in the path, or, where this page is a file, in the query.
const pathRoom = location.pathname.match(/\/rooms\/([^/]+)$/)?.[1];
const queryRoom = new URLSearchParams(location.search).get("room") ?? "";
const roomName = pathRoom ?? (ROOM_PATTERN.test(queryRoom) ? queryRoom : undefined);
const roomsAt = document.documentElement.dataset.rooms ?? "?room=";

// The nickname is kept for this tab, and for tabs to come. The key is this
// tab's own: with it the tab gets its nickname back when it reconnects while the
// host has not yet noticed that the old connection is dead.
const tabStorage = storageOf("sessionStorage");
const lastingStorage = storageOf("localStorage");
let nick = stored(tabStorage, NICK_KEY) || stored(lastingStorage, NICK_KEY);
let key = stored(tabStorage, KEY_KEY);
let members = new Set();
let socket = null;
let joined = false;
let attempts = 0;
let retryTimer = 0;

if (!key) {
  key = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  store(tabStorage, KEY_KEY, key);
}

// None where the browser's settings forbid it.
function storageOf(kind) {
  try { return window[kind]; } catch { return null; }
}

function stored(storage, name) {
  return storage?.getItem(name) ?? "";
}

function store(storage, name, value) {
  storage?.setItem(name, value);
}

function save(value) {
  nick = value;
  store(tabStorage, NICK_KEY, value);
  store(lastingStorage, NICK_KEY, value);
}

// ---- The way in ----

function showEntry(problem = "") {
  $("chat").hidden = true;
  $("entry").hidden = false;
  $("nick").value = nick;
  $("entry-error").textContent = problem;
  if (roomName) {
    $("room-field").hidden = true;
    $("entry-title").textContent = `Join #${roomName}`;
    $("entry-hint").textContent = "Choose the name that others will see.";
  }
  (roomName ? $("nick") : $("room")).focus();
}

$("entry-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const wanted = $("nick").value.trim();
  const room = roomName ?? ($("room").value.trim().replace(/\s+/g, "-") || "lobby");
  if (!ROOM_PATTERN.test(room)) {
    $("entry-error").textContent = "A room's name has letters (a to z), digits, - and _ only.";
    $("room").focus();
  } else if (!wanted) {
    $("entry-error").textContent = "Please choose a nickname.";
    $("nick").focus();
  } else {
    save(wanted);
    if (roomName) enter(); else location.href = `${roomsAt}${room}`;
  }
});

function enter() {
  $("entry").hidden = true;
  $("chat").hidden = false;
  $("text").focus();
  attempts = 0;
  connect();
}

// ---- The connection ----

function connect() {
  clearTimeout(retryTimer);
  const url = new URL(pathRoom ? location.pathname : `rooms/${roomName}`, location.href);
  url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  setStatus("connecting", attempts ? "Reconnecting…" : "Connecting…");
  const current = new WebSocket(url);
  let openedAt = Infinity;
  socket = current;
  current.addEventListener("open", () => {
    openedAt = Date.now();
    current.send(JSON.stringify({ type: "join", nick, key }));
  });
  current.addEventListener("message", (event) => {
    if (socket === current) receive(JSON.parse(event.data));
  });
  current.addEventListener("close", (event) => {
    if (socket !== current) return;
    if (event.code === REPLACED) {
      leave();
      showEntry("You have joined this room again from a copy of this tab.");
      return;
    }
    if (Date.now() - openedAt > STEADY_MS) attempts = 0;
    leave();
    retry();
  });
}

function leave() {
  socket = null;
  joined = false;
  $("send").disabled = true;
}

// Waits twice as long each time, and a random part less, so that the clients of
// a host that comes back don't all come at once.
function retry() {
  const limit = Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** attempts++);
  const delay = limit * (0.5 + Math.random() / 2);
  const until = Date.now() + delay;
  const tick = () => {
    const left = until - Date.now();
    if (left <= 0) return connect();
    setStatus("waiting", `Offline, trying again in ${Math.ceil(left / 1000)} s`);
    retryTimer = setTimeout(tick, Math.min(left, 1000));
  };
  tick();
}

addEventListener("online", () => {
  if (!socket && !$("chat").hidden) connect();
});

function setStatus(state, text) {
  const status = $("status");
  status.dataset.state = state;
  if (status.textContent !== text) status.textContent = text;
}

// ---- Messages from the server ----

function receive(message) {
  switch (message.type) {
    case "welcome": return welcome(message);
    case "message": return addMessage(message);
    case "joined":
      members.add(message.nick);
      showMembers();
      return addNotice(`${message.nick} joined`, message.time);
    case "left":
      members.delete(message.nick);
      showMembers();
      return addNotice(`${message.nick} left`, message.time);
    case "error": return complain(message);
  }
}

function welcome(message) {
  joined = true;
  save(message.nick);
  members = new Set(message.members);
  showMembers();
  setStatus("open", "Connected");
  $("send").disabled = false;
  $("problem").textContent = "";
  message.messages.forEach(addMessage);
}

function complain(problem) {
  if (joined) {
    $("problem").textContent = problem.text;
    return;
  }
  const dead = socket;
  leave();
  dead?.close();
  if (problem.code === "nick-taken") nick = nextNick(nick);
  showEntry(`${problem.text[0].toUpperCase()}${problem.text.slice(1)}.`);
}

// "Ada 2" after "Ada", "Ada 3" after "Ada 2".
function nextNick(taken) {
  const [, stem, number] = taken.match(/^(.*?)(?: (\d+))?$/u);
  const suffix = ` ${Number(number ?? 1) + 1}`;
  return [...stem].slice(0, NICK_LEN_MAX - suffix.length).join("") + suffix;
}

// ---- The log ----

const log = $("log");

// Messages have ids that count up. The same one may come twice (after a
// reconnect), and two may come in the wrong order.
function addMessage(message) {
  if (log.querySelector(`[data-id="${Number(message.id)}"]`)) return;
  const item = document.createElement("li");
  item.className = message.nick === nick ? "message own" : "message";
  item.dataset.id = message.id;
  item.dataset.nick = message.nick;
  item.style.setProperty("--hue", hue(message.nick));
  const who = document.createElement("div");
  who.className = "who";
  const name = document.createElement("b");
  name.textContent = message.nick;
  who.append(name, clock(message.time));
  const text = document.createElement("div");
  text.className = "text";
  text.textContent = message.text;
  item.append(who, text);

  const later = [...log.querySelectorAll("[data-id]")].find((other) => Number(other.dataset.id) > message.id);
  insert(item, later ?? null, message.nick === nick);
}

function addNotice(text, time) {
  const item = document.createElement("li");
  item.className = "notice";
  item.append(`${text} · `, clock(time));
  insert(item, null, false);
}

function insert(item, before, follow) {
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 60;
  log.insertBefore(item, before);
  for (const changed of [item, item.nextElementSibling]) {
    const previous = changed?.previousElementSibling;
    changed?.classList.toggle("follows",
      changed.dataset.nick !== undefined && changed.dataset.nick === previous?.dataset.nick);
  }
  while (log.childElementCount > LOG_LEN_MAX) log.firstElementChild.remove();
  if (atEnd || follow) scrollDown(); else $("newer").hidden = false;
}

function scrollDown() {
  log.scrollTop = log.scrollHeight;
  $("newer").hidden = true;
}

$("newer").addEventListener("click", scrollDown);
log.addEventListener("scroll", () => {
  if (log.scrollHeight - log.scrollTop - log.clientHeight < 60) $("newer").hidden = true;
}, { passive: true });

function clock(ms) {
  const date = new Date(ms);
  const time = document.createElement("time");
  time.dateTime = date.toISOString();
  time.title = date.toLocaleString();
  const today = date.toDateString() === new Date().toDateString();
  time.textContent = today
    ? date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })
    : date.toLocaleString([], { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" });
  return time;
}

function hue(name) {
  let hash = 0;
  for (const char of name) hash = (hash * 31 + char.codePointAt(0)) % 100003;
  // The golden angle keeps colours of similar names apart.
  return Math.round(hash * 137.508) % 360;
}

// ---- Who is here ----

function showMembers() {
  const names = [...members].sort((one, other) => one.localeCompare(other));
  $("people-count").textContent = names.length;
  $("people-toggle").setAttribute("aria-label", `${names.length} online`);
  $("members").replaceChildren(...names.map((name) => {
    const item = document.createElement("li");
    item.dataset.letter = [...name][0].toUpperCase();
    item.style.setProperty("--hue", hue(name));
    const label = document.createElement("span");
    label.textContent = name;
    item.append(label);
    if (name === nick) {
      const you = document.createElement("small");
      you.textContent = "you";
      item.append(you);
    }
    return item;
  }));
}

function togglePeople(open) {
  $("people").classList.toggle("open", open);
  $("people-toggle").setAttribute("aria-expanded", open);
}

$("people-toggle").addEventListener("click", () => togglePeople(!$("people").classList.contains("open")));
addEventListener("keydown", (event) => {
  if (event.key === "Escape" && $("people").classList.contains("open")) {
    togglePeople(false);
    $("people-toggle").focus();
  }
});

$("rename").addEventListener("click", () => {
  const old = socket;
  leave();
  clearTimeout(retryTimer);
  old?.close();
  togglePeople(false);
  showEntry();
});

// ---- Saying something ----

const text = $("text");

function fit() {
  text.style.height = "auto";
  text.style.height = `${text.scrollHeight + 2}px`;
}

text.addEventListener("input", () => {
  fit();
  $("problem").textContent = "";
});
text.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    $("composer").requestSubmit();
  }
});

$("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  if (!text.value.trim()) return;
  if (!joined) {
    $("problem").textContent = "Not connected; your message is kept here until it can be sent.";
    return;
  }
  socket.send(JSON.stringify({ type: "say", text: text.value }));
  text.value = "";
  fit();
  text.focus();
});

$("copy").addEventListener("click", async () => {
  const button = $("copy");
  try {
    await navigator.clipboard.writeText(location.href);
    button.textContent = "Copied";
  } catch {
    // Not allowed here: let the person copy it.
    prompt("The link to this room:", location.href);
  }
  setTimeout(() => { button.textContent = "Copy link"; }, 2000);
});

// ---- Start ----

if (!roomName) {
  showEntry();
} else {
  document.title = `#${roomName} · Holdfast chat`;
  $("room-name").textContent = roomName;
  if (nick) enter(); else showEntry();
}
