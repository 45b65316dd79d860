// Holdfast plugins in C. This is the one header a plugin includes.
//
// A plugin is a WebAssembly component with handlers for HTTP requests, for
// WebSocket events, or for both. The host holds every socket; a handler runs in
// a sandbox, when something happens, and decides.
//
// Memory. Nobody frees anything. What the SDK gives to a handler (requests,
// messages, values, results of holdfast_format) is there until the handler
// returns, and then it is gone. What is given to the SDK is only read, during
// the call or, in an answer, until the handler has returned; the SDK copies it
// where it keeps it longer. Strings come with lengths and have no NUL at their
// end, except where it says so.
//
// State. The host runs as many instances of a plugin as it needs, ends them
// when it likes, and replaces the code under open connections. Nothing in a
// global variable is there at the next event: state is in attachments, topics
// and stores.
//
// Errors. A handler returns NULL, or a text which the host logs: it then answers
// 500, or treats the WebSocket as the plugin's `on_error` says. abort() does the
// same, and ends the instance as well.

#ifndef HOLDFAST_H
#define HOLDFAST_H

#include "holdfast/base.h"

#include "holdfast/connections.h"
#include "holdfast/http.h"
#include "holdfast/json.h"
#include "holdfast/log.h"
#include "holdfast/store.h"
#include "holdfast/topics.h"
#include "holdfast/websocket.h"

#endif
