//! Generations of one plugin taking over from each other, with guests in the text
//! format and an edge that has only connections.

mod edge;
mod fair;
mod guest;
mod lifetime;
mod migration;
mod probation;
mod room;
mod stage;
mod strategies;
