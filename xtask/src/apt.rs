//! Installs Debian packages, as root or through sudo.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::command;

/// Installs packages that are missing. `purpose` is for the user, who sees what
/// is about to be installed and why.
pub(crate) fn install(packages: &[&str], purpose: &str) -> Result<()> {
    let missing: Vec<&str> = packages
        .iter()
        .copied()
        .filter(|package| !is_installed(package))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    eprintln!("Installing {} with apt-get: {purpose}.", missing.join(", "));
    let hint = format!(
        "install {} yourself, then run this again",
        missing.join(", ")
    );
    command::run(&mut apt_get(&["update", "--quiet"])?, &hint)?;
    let mut install = apt_get(&["install", "--quiet", "--yes", "--no-install-recommends"])?;
    command::run(install.args(&missing), &hint)
}

fn is_installed(package: &str) -> bool {
    let query = ["--show", "--showformat=${db:Status-Status}", package];
    Command::new("dpkg-query")
        .args(query)
        .output()
        .is_ok_and(|output| output.stdout == b"installed")
}

/// `apt-get` with the rights to change the system.
fn apt_get(arguments: &[&str]) -> Result<Command> {
    if !command::exists("apt-get") {
        bail!("there is no apt-get on this machine");
    }
    let is_root = command::read(Command::new("id").arg("-u"))?.trim() == "0";
    let mut command = if is_root {
        Command::new("apt-get")
    } else if command::exists("sudo") {
        let mut sudo = Command::new("sudo");
        sudo.arg("apt-get");
        sudo
    } else {
        bail!(
            "installing packages takes root\n  hint: as root, run `apt-get {}`",
            arguments.join(" ")
        );
    };
    // No question of the package manager may wait for an answer.
    command
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive");
    Ok(command)
}

/// Downloads a package of another Debian suite into `folder` and unpacks it
/// there. The system's own sources and package lists stay as they are: only the
/// mirror's address is taken from them.
pub(crate) fn unpack_from_suite(package: &str, suite: &str, folder: &Path) -> Result<PathBuf> {
    eprintln!(
        "Unpacking {package} of Debian {suite} into {}.",
        folder.display()
    );
    let apt = folder.join("apt");
    let unpacked = folder.join(package);
    for part in ["lists/partial", "archives/partial"] {
        std::fs::create_dir_all(apt.join(part))
            .with_context(|| format!("can't make {}", apt.join(part).display()))?;
    }
    let sources = apt.join("sources.list");
    let keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
    let line = format!("deb [signed-by={keyring}] {} {suite} main\n", mirror()?);
    std::fs::write(&sources, line).with_context(|| format!("can't write {}", sources.display()))?;
    let own_apt = || {
        let mut command = Command::new("apt-get");
        command.current_dir(&apt);
        for (key, value) in [
            ("Dir::Etc::sourcelist", sources.as_path()),
            ("Dir::Etc::sourceparts", Path::new("/dev/null")),
            ("Dir::State::lists", &apt.join("lists")),
            ("Dir::Cache", &apt),
        ] {
            command.arg("-o").arg(format!("{key}={}", value.display()));
        }
        // The unprivileged user that apt downloads as can't write here.
        command.args(["-o", "APT::Sandbox::User=root", "--quiet"]);
        command
    };
    let hint = "check that this machine reaches its Debian mirror";
    command::run(own_apt().arg("update"), hint)?;
    command::run(own_apt().arg("download").arg(package), hint)?;
    let archive = newest_archive(&apt, package)?;
    command::run(
        Command::new("dpkg").arg("-x").arg(archive).arg(&unpacked),
        "the download may be broken: remove the folder and run this again",
    )?;
    Ok(unpacked)
}

/// The address of the Debian mirror which this machine uses.
fn mirror() -> Result<String> {
    let format = ["indextargets", "--format", "$(REPO_URI)"];
    let filter = ["Created-By: Packages", "Origin: Debian", "Label: Debian"];
    let known = command::read(Command::new("apt-get").args(format).args(filter))?;
    let first = known.lines().next().map(|uri| uri.trim_end_matches('/'));
    first
        .map(str::to_owned)
        .context("apt knows no Debian mirror\n  hint: run `apt-get update`, then this again")
}

fn newest_archive(folder: &Path, package: &str) -> Result<PathBuf> {
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("can't read {}", folder.display()))?;
    let mut archives: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with(package) && name.ends_with(".deb")
        })
        .collect();
    archives.sort();
    archives
        .pop()
        .with_context(|| format!("apt-get has downloaded no {package}"))
}
