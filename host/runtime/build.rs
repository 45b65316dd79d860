//! Assembles the module that stands between the host and a guest of a simple
//! form (`src/compile/direct/glue.wat`).

use std::path::PathBuf;
use std::{env, fs};

const SOURCE: &str = "src/compile/direct/glue.wat";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed={SOURCE}");
    let folder = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(folder.join("glue.wasm"), wat::parse_file(SOURCE)?)?;
    Ok(())
}
