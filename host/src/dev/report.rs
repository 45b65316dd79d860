//! What has come of a save, in words.

use std::path::Path;

use super::sources::Saved;
use crate::fleet::{Message, Report, What};

/// What the fleet has made of what was built.
pub(super) enum Verdict {
    /// Something new serves.
    New,
    /// What was built is what serves.
    Same,
    /// It is not in force, and why.
    Wrong(String),
}

impl Verdict {
    pub(super) fn of(report: &Report) -> Self {
        let mut wrong = String::new();
        if let Some(message) = &report.manifest_error {
            add(&mut wrong, message);
        }
        for change in &report.changes {
            if let (What::Failed, Some(message)) = (change.what, &change.error) {
                add(&mut wrong, message);
            }
        }
        let is_new = |what| matches!(what, What::Reloaded | What::Added | What::Removed);
        if !wrong.is_empty() {
            Self::Wrong(wrong)
        } else if report.changes.iter().any(|change| is_new(change.what)) {
            Self::New
        } else {
            Self::Same
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

/// The names of what was saved: one, and how many others.
pub(super) fn names(saved: &Saved, folder: &Path) -> String {
    let mut paths = saved.paths.iter();
    let first = paths.next().map_or(folder, |path| path.as_path());
    let first = first.strip_prefix(folder).unwrap_or(first).display();
    match paths.len() {
        0 => first.to_string(),
        others => format!("{first} and {others} more"),
    }
}
