//! Names that mean what a test says, and something else a moment later.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::process::Command;

use crate::folder::Folder;
use crate::host;

/// Where the system looks names up: in hosts(5) alone.
const SWITCH: &str = "hosts: files\n";

/// Room in the file, which is written over in place: for the host it is mounted.
const LEN: usize = 256;

/// Puts both files in their places, for the host alone, and becomes the host.
const SCRIPT: &str = "mount --bind \"$1\" /etc/hosts && mount --bind \"$2\" /etc/nsswitch.conf \
    && shift 2 && exec \"$@\"";

/// The names that one host knows.
#[derive(Debug)]
pub struct Names {
    hosts: PathBuf,
    switch: PathBuf,
    // Removed when dropped.
    _folder: Folder,
}

impl Names {
    /// These, as in hosts(5).
    pub fn new(lines: &str) -> Self {
        let folder = Folder::new();
        Self {
            hosts: folder.write("hosts", padded(lines)),
            switch: folder.write("nsswitch.conf", SWITCH),
            _folder: folder,
        }
    }

    /// From now on these.
    pub fn say(&self, lines: &str) {
        let file = File::options().write(true).open(&self.hosts);
        let file = file.expect("a file of ours");
        let written = file.write_all_at(padded(lines).as_bytes(), 0);
        written.expect("a file can be written");
    }

    /// The binary, in a mount namespace of its own (mount_namespaces(7)).
    pub(crate) fn command(&self) -> Command {
        let inner = host::command();
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "--mount", "sh", "-c", SCRIPT, "sh"]);
        command.arg(&self.hosts).arg(&self.switch);
        command.arg(inner.get_program());
        for (name, value) in inner.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command
    }
}

/// All of the file, so that no moment shows a part of it.
fn padded(lines: &str) -> String {
    assert!(lines.len() < LEN, "more than fits");
    format!("{lines:\n<LEN$}")
}
