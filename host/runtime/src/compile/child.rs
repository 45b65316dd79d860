//! The compiler's process, as seen from inside of it.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::process::ExitCode;

use wasmtime::OutOfMemory;

use super::{EXIT_INVALID, EXIT_MEMORY, choose};
use crate::engine::{self, Form};

/// Compiles the component on standard input, and writes machine code to standard
/// output. Standard error gets one line: which engine the code is for, or why
/// there is none; the exit code says whose fault that is.
///
/// The host runs it by `holdfast compile`; see [`Compiler`](super::Compiler).
pub fn compile_stdin() -> ExitCode {
    match compile() {
        Ok(form) => {
            eprintln!("{}", form.name());
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("{failure}");
            failure.code()
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{0:#}")]
    Invalid(wasmtime::Error),
    #[error("{0:#}")]
    Engine(wasmtime::Error),
    #[error("{0}")]
    Stream(#[from] io::Error),
}

impl Failure {
    fn code(&self) -> ExitCode {
        match self {
            Self::Invalid(error) | Self::Engine(error) if error.is::<OutOfMemory>() => {
                ExitCode::from(EXIT_MEMORY)
            }
            Self::Stream(error) if error.kind() == io::ErrorKind::OutOfMemory => {
                ExitCode::from(EXIT_MEMORY)
            }
            Self::Invalid(_) => ExitCode::from(EXIT_INVALID),
            Self::Engine(_) | Self::Stream(_) => ExitCode::FAILURE,
        }
    }
}

fn compile() -> Result<Form, Failure> {
    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes)?;
    let engines = engine::compilers().map_err(Failure::Engine)?;
    let (form, component) = choose(&engines, &bytes).map_err(Failure::Invalid)?;
    drop(bytes);
    let code = component.serialize().map_err(Failure::Engine)?;
    // Standard output itself has a buffer which looks for the ends of lines.
    let output = io::stdout().as_fd().try_clone_to_owned()?;
    File::from(output).write_all(&code)?;
    Ok(form)
}
