//! Guests that do their host and their neighbours harm, if they can: the intended
//! limit ends each of them with the documented error, while a well-behaved tenant
//! beside it is served as quickly as before, and what it took is given back.

mod arena;
mod bodies;
mod computing;
mod loading;
mod memory;
mod messages;
mod outbound;
mod removal;
