//! The error of a handler.

use std::error::Error as StdError;
use std::fmt::{self, Debug, Display, Formatter};

/// What handlers return; `Ok(())` where nothing else is said.
pub type Result<T = (), E = Error> = std::result::Result<T, E>;

/// Any error, with what was being done when it happened.
///
/// Every type that implements [`std::error::Error`] turns into it by `?`. The
/// host logs its text, and then answers 500 to an HTTP request, or treats a
/// WebSocket as the plugin's `on_error` says (close it with 1011, or skip the
/// event). The instance goes on, unlike after a panic.
pub struct Error {
    contexts: Vec<String>,
    cause: Box<dyn StdError + Send + Sync>,
}

impl Error {
    /// An error that is only a text.
    pub fn msg(text: impl Display) -> Self {
        Self {
            contexts: Vec::new(),
            cause: text.to_string().into(),
        }
    }

    /// Adds what was being done, in front of what is there.
    #[must_use]
    pub fn context(mut self, text: impl Display) -> Self {
        self.contexts.push(text.to_string());
        self
    }

    /// The error behind the contexts, if it is of this type.
    pub fn downcast_ref<E: StdError + 'static>(&self) -> Option<&E> {
        self.cause.downcast_ref()
    }
}

/// The contexts, newest first, then the error and its sources, in one line.
impl Display for Error {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        for context in self.contexts.iter().rev() {
            write!(formatter, "{context}: ")?;
        }
        Display::fmt(&self.cause, formatter)?;
        let mut source = self.cause.source();
        while let Some(error) = source {
            write!(formatter, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}

impl Debug for Error {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        Display::fmt(self, formatter)
    }
}

impl<E: StdError + Send + Sync + 'static> From<E> for Error {
    fn from(error: E) -> Self {
        Self {
            contexts: Vec::new(),
            cause: Box::new(error),
        }
    }
}

/// Says what was being done when something failed.
///
/// ```
/// use holdfast::Context;
///
/// fn port(text: &str) -> holdfast::Result<u16> {
///     text.parse().context("the port")
/// }
/// assert_eq!(
///     port("x").unwrap_err().to_string(),
///     "the port: invalid digit found in string"
/// );
/// ```
pub trait Context<T> {
    /// Adds `text` to the error, or makes it the error where there is none.
    fn context(self, text: impl Display) -> Result<T>;
}

impl<T, E: Into<Error>> Context<T> for std::result::Result<T, E> {
    fn context(self, text: impl Display) -> Result<T> {
        self.map_err(|error| error.into().context(text))
    }
}

impl<T> Context<T> for Option<T> {
    fn context(self, text: impl Display) -> Result<T> {
        self.ok_or_else(|| Error::msg(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_shows_its_contexts_and_sources_in_one_line() {
        #[derive(Debug)]
        struct Outer(std::num::ParseIntError);
        impl Display for Outer {
            fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
                formatter.write_str("no number")
            }
        }
        impl StdError for Outer {
            fn source(&self) -> Option<&(dyn StdError + 'static)> {
                Some(&self.0)
            }
        }
        let error = Error::from(Outer("x".parse::<u8>().unwrap_err()))
            .context("the age")
            .context("the form");
        assert_eq!(
            error.to_string(),
            "the form: the age: no number: invalid digit found in string"
        );
        assert!(error.downcast_ref::<Outer>().is_some());
        assert_eq!(
            None::<u8>.context("nothing").unwrap_err().to_string(),
            "nothing"
        );
    }
}
