//! Write Holdfast plugins in Rust.
