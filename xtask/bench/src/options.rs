//! Arguments of the form `KEY=VALUE`.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};

/// What a verb was told.
pub(crate) struct Options(BTreeMap<String, String>);

impl Options {
    pub(crate) fn parse(words: &[&str]) -> Result<Self> {
        let pair = |word: &&str| {
            let (key, value) = word
                .split_once('=')
                .with_context(|| format!("`{word}` is not KEY=VALUE"))?;
            Ok((key.to_owned(), value.to_owned()))
        };
        words.iter().map(pair).collect::<Result<_>>().map(Self)
    }

    /// The value of a key that has to be there.
    pub(crate) fn get<T: FromStr<Err: Display>>(&self, key: &str) -> Result<T> {
        let value = self.0.get(key);
        let value = value.with_context(|| format!("`{key}=` is missing"))?;
        let parsed = value.parse();
        parsed.map_err(|error| anyhow!("`{key}={value}` is wrong: {error}"))
    }

    /// The value of a key, or the default.
    pub(crate) fn get_or<T: FromStr<Err: Display>>(&self, key: &str, default: T) -> Result<T> {
        if self.0.contains_key(key) {
            self.get(key)
        } else {
            Ok(default)
        }
    }

    /// A time given in seconds.
    pub(crate) fn seconds(&self, key: &str) -> Result<Duration> {
        let seconds: f64 = self.get(key)?;
        Duration::try_from_secs_f64(seconds).with_context(|| format!("`{key}=` is no time"))
    }
}
