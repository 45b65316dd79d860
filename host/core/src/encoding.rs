//! Which responses are sent encoded, in fewer bytes than they have (RFC 9110,
//! section 8.4). Not to be confused with the compression of WebSocket messages.

mod raw;

pub use raw::{RawEncode, RawEncoding};

/// A way to encode a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// RFC 7932.
    Brotli,
    /// RFC 8878.
    Zstd,
    /// RFC 1952.
    Gzip,
}

impl Coding {
    /// All of them, from the one that makes texts smallest if it takes its time.
    pub const ALL: [Self; 3] = [Self::Brotli, Self::Zstd, Self::Gzip];

    /// Its name in header fields and in the manifest.
    pub fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Zstd => "zstd",
            Self::Gzip => "gzip",
        }
    }

    /// What the names of encoded files end with.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Brotli => ".br",
            Self::Zstd => ".zst",
            Self::Gzip => ".gz",
        }
    }
}

/// Which of them are used while responses are sent if nothing is said, the best
/// for its time first.
const CODINGS: [Coding; 3] = [Coding::Zstd, Coding::Brotli, Coding::Gzip];

/// Shorter bodies gain nothing: they fit into one packet as they are.
const BYTES_MIN: u64 = 1024;

/// What is worth it if nothing is said.
const TYPES: &[&str] = &[
    "text/*",
    "*+json",
    "*+xml",
    "application/javascript",
    "application/json",
    "application/toml",
    "application/wasm",
    "application/xml",
    "application/yaml",
    "font/otf",
    "font/ttf",
    "image/bmp",
    "image/vnd.microsoft.icon",
];

/// What of a plugin's or a route's responses is encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encode {
    /// From the one that is taken if a client has no preference.
    pub codings: Vec<Coding>,
    /// The shortest body, as far as its length is known.
    pub bytes_min: u64,
    /// In lower case: `text/html`, `text/*` or `*+json`.
    types: Vec<String>,
}

impl Default for Encode {
    fn default() -> Self {
        Self {
            codings: CODINGS.to_vec(),
            bytes_min: BYTES_MIN,
            types: TYPES.iter().map(|&it| it.to_owned()).collect(),
        }
    }
}

impl Encode {
    /// Whether a body of this `content-type` is worth it.
    pub fn has_type(&self, content_type: &str) -> bool {
        let media = content_type.split(';').next().unwrap_or_default().trim();
        let is_it = |pattern: &String| match (pattern.strip_prefix('*'), pattern.strip_suffix('*'))
        {
            (Some(end), _) => ends_with(media, end),
            (_, Some(start)) => starts_with(media, start),
            _ => media.eq_ignore_ascii_case(pattern),
        };
        self.types.iter().any(is_it)
    }
}

fn starts_with(text: &str, start: &str) -> bool {
    let found = text.get(..start.len());
    found.is_some_and(|found| found.eq_ignore_ascii_case(start))
}

fn ends_with(text: &str, end: &str) -> bool {
    let place = text.len().checked_sub(end.len());
    let found = place.and_then(|place| text.get(place..));
    found.is_some_and(|found| found.eq_ignore_ascii_case(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_worth_it_and_pictures_are_not() {
        let encode = Encode::default();
        for (media, expected) in [
            ("text/html; charset=utf-8", true),
            ("TEXT/Event-Stream", true),
            (" application/json ;x=y", true),
            ("application/problem+json", true),
            ("image/svg+xml", true),
            ("image/png", false),
            ("video/mp4", false),
            ("application/zip", false),
            ("application/octet-stream", false),
            ("text", false),
            ("+json", true),
            ("ü", false),
            ("", false),
        ] {
            assert_eq!(encode.has_type(media), expected, "{media}");
        }
    }
}
