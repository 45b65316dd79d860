//! The compiler's process, as seen from inside of it.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::process::ExitCode;

use super::{EXIT_INVALID, choose};
use crate::engine::{self, Form};

/// Compiles the component on standard input, and writes machine code to standard
/// output. Standard error gets one line: which engine the code is for, or, with
/// an exit code of its own, why it is no valid component.
///
/// The host runs it by `holdfast compile`; see [`Compiler`](super::Compiler).
///
/// # Errors
/// Fails when one of the three can't be read or written.
pub fn compile_stdin() -> anyhow::Result<ExitCode> {
    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes)?;
    let answer = choose(&engine::compilers()?, &bytes);
    drop(bytes);
    let (form, component) = match answer {
        Ok(compiled) => compiled,
        Err(error) => {
            eprintln!("{error:#}");
            return Ok(ExitCode::from(EXIT_INVALID));
        }
    };
    // Standard output itself has a buffer which looks for the ends of lines.
    let output = io::stdout().as_fd().try_clone_to_owned()?;
    File::from(output).write_all(&component.serialize()?)?;
    eprintln!("{}", Form::name(form));
    Ok(ExitCode::SUCCESS)
}
