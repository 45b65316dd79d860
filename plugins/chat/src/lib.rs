//! Chat rooms.
