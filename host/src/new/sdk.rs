//! The Rust SDK inside this binary, gathered by the build script.

/// Where it is in a project.
pub(crate) const FOLDER: &str = "holdfast-sdk";

/// Its files: paths in [`FOLDER`], and what is in them.
pub(crate) static FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/sdk.rs"));
