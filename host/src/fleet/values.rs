//! Settings that are in the environment or in files: what the manifest only
//! names is read here, at every look.

use std::path::Path;

use holdfast_core::Secret;
use holdfast_core::manifest::{Origin, Plugin, VALUE_BYTES_MAX};

use super::beneath;
use super::fault::Fault;

/// Whether an entry has settings that have to be read.
pub(super) fn are_elsewhere(entry: &Plugin) -> bool {
    let mut values = entry.values();
    values.any(|value| value.origin != Origin::Manifest)
}

/// Fills in the values. `before` is the entry as it was last read: a file that
/// `is_busy`, since somebody writes it at this moment, has the value of then.
///
/// # Errors
/// Names a setting that can't be read. Its value is never told.
pub(super) fn fill(
    entry: &mut Plugin,
    before: Option<&Plugin>,
    is_busy: impl Fn(&Path) -> bool,
) -> Result<(), Fault> {
    let root = entry.root.as_deref();
    for (key, value) in entry.config.iter_mut().chain(&mut entry.env) {
        let secret = match &value.origin {
            Origin::Manifest => continue,
            Origin::Env(name) => of_environment(key, name).map(Some),
            Origin::File(path) if is_busy(path) => {
                let mut before = before.into_iter().flat_map(Plugin::values);
                let before = before.find(|it| it.origin == value.origin);
                Ok(before.and_then(|it| it.secret.clone()))
            }
            Origin::File(path) => of_file(key, root, path).map(Some),
        };
        // What can't be read has no value any more.
        value.secret = None;
        value.secret = secret?;
    }
    Ok(())
}

fn of_environment(key: &str, name: &str) -> Result<Secret, Fault> {
    match std::env::var(name) {
        Ok(value) => Ok(value.into()),
        Err(error) => {
            let why = match error {
                std::env::VarError::NotPresent => "is not set",
                std::env::VarError::NotUnicode(_) => "is no UTF-8",
            };
            let message = format!("the setting `{key}`: the variable `{name}` {why}");
            Err(Fault::new(message, "set it, and start the host again"))
        }
    }
}

/// A line break at the end belongs to the editor, not to the value.
fn of_file(key: &str, root: Option<&Path>, path: &Path) -> Result<Secret, Fault> {
    let text = beneath::read_text(root, path, VALUE_BYTES_MAX).map_err(|error| {
        let path = path.display();
        Fault::new(
            format!("the setting `{key}`: {path}: it can't be read: {error}"),
            "check the path, and that this user may read the file",
        )
    })?;
    let value = text.strip_suffix('\n').unwrap_or(&text);
    let value = value.strip_suffix('\r').unwrap_or(value);
    Ok(value.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::fixture::entry;

    #[test]
    fn values_are_read_and_never_shown() {
        let path = std::env::temp_dir().join(format!("holdfast-value-{}", std::process::id()));
        std::fs::write(&path, "hunter2\r\n").unwrap();
        let key = format!("config = {{ k = {{ file = '{}' }} }}", path.display());
        let mut new = entry(&key);
        fill(&mut new, None, |_| false).unwrap();
        let secret = new.config["k"].secret.clone().unwrap();
        assert_eq!(secret.reveal(), "hunter2");
        assert!(!format!("{new:?}").contains("hunter2"));
        // Somebody is writing: it stays as it was.
        std::fs::write(&path, "hunt").unwrap();
        let mut busy = entry(&key);
        fill(&mut busy, Some(&new), |_| true).unwrap();
        assert_eq!(busy, new);
        std::fs::write(&path, "x".repeat(VALUE_BYTES_MAX as usize + 1)).unwrap();
        let fault = fill(&mut busy, None, |_| false).unwrap_err();
        assert!(fault.message.contains("more than 65536 bytes"), "{fault:?}");
        std::fs::remove_file(&path).unwrap();
        assert!(fill(&mut new, None, |_| false).is_err());
        assert_eq!(new.config["k"].secret, None);
    }

    #[test]
    fn a_variable_has_to_be_there() {
        let mut entry = entry("config = { k = { env = 'HOLDFAST_NOT_SET' } }");
        let fault = fill(&mut entry, None, |_| false).unwrap_err();
        assert!(
            fault.message.contains("`HOLDFAST_NOT_SET` is not set"),
            "{fault:?}"
        );
    }
}
