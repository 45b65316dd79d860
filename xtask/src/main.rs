//! What people run in this repository.
fn main() {}
