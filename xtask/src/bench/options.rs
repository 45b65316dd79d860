//! The command line of `cargo xtask bench`.

use anyhow::{Result, bail};

/// What a run is to do.
pub(crate) struct Options {
    /// Names of cases; none for all.
    pub(crate) cases: Vec<String>,
    pub(crate) with_peers: bool,
    pub(crate) is_quick: bool,
    pub(crate) writes_docs: bool,
}

impl Options {
    pub(crate) fn parse(arguments: &[&str]) -> Result<Self> {
        let mut options = Self {
            cases: Vec::new(),
            with_peers: false,
            is_quick: false,
            writes_docs: false,
        };
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            match (*word, word.split_once('=')) {
                ("--peers", _) => options.with_peers = true,
                ("--quick", _) => options.is_quick = true,
                ("--write-docs", _) => options.writes_docs = true,
                ("--case", _) => match words.next() {
                    Some(name) => options.cases.push((*name).to_owned()),
                    None => bail!("`--case` wants a name"),
                },
                (_, Some(("--case", name))) => options.cases.push(name.to_owned()),
                _ => bail!("`{word}` is not understood; see `cargo xtask bench --help`"),
            }
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read() {
        let options = Options::parse(&["--quick", "--case", "idle", "--case=open"]).unwrap();
        assert!(options.is_quick && !options.with_peers && !options.writes_docs);
        assert_eq!(options.cases, ["idle", "open"]);
        assert!(Options::parse(&["--case"]).is_err());
        assert!(Options::parse(&["--quik"]).is_err());
    }
}
