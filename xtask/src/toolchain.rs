//! The toolchain that builds guests: Rust for `wasm32-wasip2`.
//!
//! The ordinary way is the target of the rustup toolchain. Where rustup's server
//! can't be reached but Debian's packages can, Debian's compiler builds the
//! standard library from source, with Debian's C library for WASI and the linker
//! that the rustup toolchain already carries.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{apt, command, place};

/// The target of every guest.
pub(crate) const TARGET: &str = "wasm32-wasip2";

/// The option that lists the crates to build from source.
const BUILD_STD: &str = "-Zbuild-std=";
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_PACKAGES: [&str; 2] = ["rustc-web", "rust-web-src"];
const LIBC_SUITE: &str = "trixie";

/// How to call cargo for guests.
pub(crate) struct Toolchain {
    variables: Vec<(&'static str, OsString)>,
    arguments: Vec<&'static str>,
}

impl Toolchain {
    /// Finds a toolchain, or sets one up, saying what is being done. What was
    /// set up once is found the next time.
    pub(crate) fn find() -> Result<Self> {
        let folder = place::target()?.join("guest-toolchain");
        let libc = folder.join("wasi-libc/usr/lib").join(TARGET);
        if is_target_installed() {
            return Ok(Self::ordinary());
        }
        let is_set_up = libc.join("libc.a").exists() && Path::new(DEBIAN_RUSTC).exists();
        if !is_set_up {
            eprintln!("Adding the {TARGET} target with rustup.");
            match add_target() {
                Ok(()) => return Ok(Self::ordinary()),
                Err(error) => eprintln!("That did not work: {error:#}."),
            }
            set_up_debian(&folder).context(
                "no toolchain for guests\n  \
                 hint: run `rustup target add wasm32-wasip2` where rustup's server can be \
                 reached, or use Debian 12 as root or with sudo",
            )?;
        }
        Self::debian(&libc)
    }

    /// Cargo with everything it needs to build for [`TARGET`].
    pub(crate) fn build(&self) -> Result<Command> {
        let mut command = place::cargo()?;
        command.arg("build").args(["--target", TARGET]);
        command.args(&self.arguments);
        for (name, value) in &self.variables {
            command.env(name, value);
        }
        Ok(command)
    }

    /// The same as variables of cargo's environment, for tests that build guests.
    pub(crate) fn variables(&self) -> Vec<(&'static str, OsString)> {
        let mut variables = self.variables.clone();
        let options = self.arguments.iter();
        let std = options.filter_map(|option| option.strip_prefix(BUILD_STD));
        variables.extend(std.map(|crates| ("CARGO_UNSTABLE_BUILD_STD", crates.into())));
        variables
    }

    fn ordinary() -> Self {
        Self {
            variables: Vec::new(),
            arguments: Vec::new(),
        }
    }

    fn debian(libc: &Path) -> Result<Self> {
        let tools = linker_folder()?;
        let linker = tools.join("wasm-component-ld");
        if !linker.exists() {
            bail!(
                "the Rust toolchain has no {}\n  hint: install Rust 1.95 or newer with rustup",
                linker.display()
            );
        }
        let flags = format!(
            "-Clinker={} -Clink-self-contained=no -L{} -Clink-arg={} -Clink-arg=--wasm-ld-path={}",
            linker.display(),
            libc.display(),
            libc.join("crt1-reactor.o").display(),
            tools.join("gcc-ld/wasm-ld").display(),
        );
        Ok(Self {
            variables: vec![
                ("CARGO_TARGET_WASM32_WASIP2_RUSTFLAGS", flags.into()),
                ("RUSTC", DEBIAN_RUSTC.into()),
                // Building the standard library is a nightly feature of cargo.
                ("RUSTC_BOOTSTRAP", "1".into()),
            ],
            arguments: vec!["-Zbuild-std=std,panic_abort"],
        })
    }
}

/// Whether the toolchain in use has a standard library for the target.
fn is_target_installed() -> bool {
    let arguments = ["--print", "target-libdir", "--target", TARGET];
    Command::new("rustc")
        .args(arguments)
        .output()
        .is_ok_and(|output| {
            output.status.success()
                && Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_dir()
        })
}

fn add_target() -> Result<()> {
    if !command::exists("rustup") {
        bail!("there is no rustup on this machine");
    }
    command::run(
        Command::new("rustup").args(["target", "add", TARGET]),
        "rustup's server can't be reached",
    )
}

fn set_up_debian(folder: &Path) -> Result<()> {
    eprintln!("Trying Debian's compiler instead.");
    apt::install(&DEBIAN_PACKAGES, "a compiler and library that build guests")?;
    apt::unpack_from_suite("wasi-libc", LIBC_SUITE, folder)?;
    Ok(())
}

/// Where the rustup toolchain keeps its linkers.
fn linker_folder() -> Result<PathBuf> {
    let rustc = |arguments: &[&str]| command::read(Command::new("rustc").args(arguments));
    let sysroot = rustc(&["--print", "sysroot"])?;
    let version = rustc(&["--version", "--verbose"])?;
    let host = version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .context("rustc does not name its host")?;
    Ok(Path::new(sysroot.trim())
        .join("lib/rustlib")
        .join(host)
        .join("bin"))
}
