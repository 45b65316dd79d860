//! One generation of a plugin as the fleet keeps it, and those before it to
//! which a plugin can go back.

use std::sync::Arc;
use std::time::SystemTime;

use holdfast_core::Settings;
use holdfast_core::manifest::Plugin;

use holdfast_runtime::Loaded;

/// A generation that serves, or that has served and is kept.
#[derive(Clone)]
pub(crate) struct Version<L = Loaded> {
    /// Its number, as in [`Settings::generation`].
    pub(crate) number: u32,
    /// Digest of its component, in lower-case hexadecimal digits.
    pub(crate) digest: String,
    /// What the manifest said of it.
    pub(crate) entry: Arc<Plugin>,
    /// What the edge knows of it.
    pub(crate) settings: Arc<Settings>,
    /// Its component, compiled.
    pub(crate) loaded: L,
    /// When it was installed.
    pub(crate) since: SystemTime,
    /// It was rolled back, by hand or by itself: nothing goes back to it unless
    /// somebody names it.
    pub(crate) given_up: bool,
}

/// The generations before the one that serves, newest first, no two of the same
/// component.
pub(crate) struct History<L = Loaded>(Vec<Version<L>>);

/// Why there is nothing to go back to.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoVersion {
    /// Nothing is kept.
    #[error("no earlier generation is kept")]
    Empty,
    /// All that are kept were given up.
    #[error("every earlier generation that is kept was given up")]
    AllGivenUp,
    /// No digest begins so.
    #[error("no generation that is kept has a digest which begins with `{0}`")]
    Unknown(String),
    /// More than one does.
    #[error("more than one generation that is kept has a digest which begins with `{0}`")]
    Ambiguous(String),
}

impl<L> Default for History<L> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<L> History<L> {
    /// Keeps a generation that another one has replaced, and at most `kept` in
    /// all.
    pub(crate) fn push(&mut self, version: Version<L>, kept: u32) {
        self.0.retain(|other| other.digest != version.digest);
        self.0.insert(0, version);
        self.keep(kept);
    }

    /// Keeps the newest so many.
    pub(crate) fn keep(&mut self, kept: u32) {
        self.0.truncate(kept as usize);
    }

    /// Takes out the generation to go back to: the newest that was not given
    /// up, or the one whose digest begins with `prefix`.
    ///
    /// # Errors
    /// See [`NoVersion`].
    pub(crate) fn take(&mut self, prefix: Option<&str>) -> Result<Version<L>, NoVersion> {
        let is_meant = |version: &Version<L>| match prefix {
            Some(prefix) => version.digest.starts_with(prefix),
            None => !version.given_up,
        };
        let mut meant = self.0.iter().enumerate().filter(|(_, it)| is_meant(it));
        let index = match (meant.next(), meant.next(), prefix) {
            (Some((index, _)), None, _) | (Some((index, _)), _, None) => index,
            (Some(_), Some(_), Some(prefix)) => {
                return Err(NoVersion::Ambiguous(prefix.to_owned()));
            }
            (None, _, Some(prefix)) => return Err(NoVersion::Unknown(prefix.to_owned())),
            (None, _, None) if self.0.is_empty() => return Err(NoVersion::Empty),
            (None, _, None) => return Err(NoVersion::AllGivenUp),
        };
        Ok(self.0.remove(index))
    }

    /// Puts back what [`History::take`] has taken.
    pub(crate) fn put_back(&mut self, version: Version<L>) {
        let newer = self.0.iter().filter(|it| it.number > version.number);
        let index = newer.count();
        self.0.insert(index, version);
    }

    /// All of them, newest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Version<L>> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::fixture;

    fn version(number: u32, digest: &str) -> Version<()> {
        fixture::version(number, digest)
    }

    fn numbers(history: &History<()>) -> Vec<u32> {
        history.iter().map(|version| version.number).collect()
    }

    #[test]
    fn so_many_are_kept_and_no_component_twice() {
        let mut history = History::default();
        for (number, digest) in [(1, "aa"), (2, "ab"), (3, "aa"), (4, "c")] {
            history.push(version(number, digest), 2);
        }
        assert_eq!(numbers(&history), [4, 3]);
        history.push(version(5, "d"), 0);
        assert!(numbers(&history).is_empty());
    }

    #[test]
    fn one_goes_back_past_what_was_given_up() {
        let mut history = History::default();
        assert_eq!(history.take(None).err(), Some(NoVersion::Empty));
        history.push(version(1, "aa"), 9);
        history.push(version(2, "ab"), 9);
        let mut bad = version(3, "ba");
        bad.given_up = true;
        history.push(bad, 9);
        assert_eq!(history.take(None).ok().map(|it| it.number), Some(2));
        assert_eq!(history.take(None).ok().map(|it| it.number), Some(1));
        assert_eq!(history.take(None).err(), Some(NoVersion::AllGivenUp));
        assert_eq!(history.take(Some("b")).ok().map(|it| it.number), Some(3));
    }

    #[test]
    fn a_digest_has_to_be_clear() {
        let mut history = History::default();
        history.push(version(1, "aa"), 9);
        history.push(version(2, "ab"), 9);
        let error = |prefix: &str, history: &mut History<()>| {
            history.take(Some(prefix)).err().unwrap().to_string()
        };
        assert!(error("a", &mut history).starts_with("more than one"));
        assert!(error("c", &mut history).starts_with("no generation"));
        let taken = history.take(Some("aa")).ok().unwrap();
        assert_eq!(taken.number, 1);
        history.put_back(taken);
        assert_eq!(numbers(&history), [2, 1]);
    }
}
