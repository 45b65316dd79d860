// The conformance program in JavaScript: it does what a test asks. Which commands there
// are, the conformance suite says.

import { http } from "./http.js";
import { socket } from "./socket.js";

export default { fetch: http, websocket: socket };
