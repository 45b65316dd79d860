// A room: who is in it and what was said, all of it kept by the host.

#ifndef ROOM_H
#define ROOM_H

#include <holdfast.h>

// Lets somebody in. `why` says why not.
holdfast_error join(const holdfast_connection *connection, holdfast_bytes room,
                    holdfast_bytes nick, const char **why);

// Says something to everybody in the room, and keeps it. `why` says why not.
holdfast_error say(holdfast_bytes room, holdfast_bytes nick, holdfast_bytes text, const char **why);

// Tells everybody in the room that somebody is gone.
holdfast_error leave(holdfast_bytes room, holdfast_bytes nick);

// Who a connection is, in its attachment: the room and the nickname, on a line
// each; only the room before it has joined.
holdfast_bytes attachment_of(holdfast_bytes room, holdfast_bytes nick);
void read_attachment(holdfast_bytes attachment, holdfast_bytes *room, holdfast_bytes *nick);

#endif
