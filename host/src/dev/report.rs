//! What has come of a save, in words.

use std::path::Path;
use std::time::Duration;

use super::sources::Saved;
use super::terminal::shown;
use crate::fleet::{Message, Report, What};

/// What has come of a save.
pub(super) enum Verdict {
    /// Something new serves.
    New,
    /// What was built is what serves.
    Same,
    /// The same, but the manifest is a new one.
    Manifest,
    /// It was not built, and what the builder says.
    NotBuilt(String),
    /// It was built, but is not in force, and why.
    NotServed(String),
}

impl Verdict {
    /// What the fleet has made of what was built.
    pub(super) fn of(report: &Report) -> Self {
        let mut wrong = String::new();
        if let Some(message) = &report.manifest_error {
            add(&mut wrong, message);
        }
        if let Some(message) = &report.certificate_error {
            add(&mut wrong, message);
        }
        for change in &report.changes {
            if let (What::Failed, Some(message)) = (change.what, &change.error) {
                add(&mut wrong, message);
            }
        }
        let is_new = |what| matches!(what, What::Reloaded | What::Added | What::Removed);
        if !wrong.is_empty() {
            Self::NotServed(wrong)
        } else if report.changes.iter().any(|change| is_new(change.what)) {
            Self::New
        } else {
            Self::Same
        }
    }

    /// The same in words: how long it took from the save until the builder had
    /// ended, and from then on.
    pub(super) fn line(&self, built: Duration, later: Duration) -> String {
        let (built, later) = (shown(built), shown(later));
        match self {
            Self::New => format!("built in {built} → serving new code {later} later"),
            Self::Same => format!("built in {built} → the same code"),
            Self::Manifest => format!("built in {built} → the manifest is in force"),
            Self::NotBuilt(_) => {
                format!("not built, after {built} → the code from before keeps serving")
            }
            Self::NotServed(_) => {
                format!("built in {built} → not served, the code from before is")
            }
        }
    }
}

fn add(text: &mut String, message: &Message) {
    text.push_str(&message.message);
    text.push('\n');
    if let Some(hint) = &message.hint {
        text.push_str("  hint: ");
        text.push_str(hint);
        text.push('\n');
    }
}

/// The names of what was saved: one, and how many others. What editors have
/// written for a moment only is not counted.
pub(super) fn names(saved: &Saved, folder: &Path) -> String {
    let there: Vec<_> = saved.paths.iter().filter(|path| path.is_file()).collect();
    let (first, others) = match there.split_first() {
        Some((first, others)) => (first.as_path(), others.len()),
        // Something has been removed, or is a folder.
        None => (saved.paths.first().map_or(folder, |path| path), 0),
    };
    let first = first.strip_prefix(folder).unwrap_or(first).display();
    match others {
        0 => first.to_string(),
        others => format!("{first} and {others} more"),
    }
}
