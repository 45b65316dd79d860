//! `encode` as it is written.

use std::fmt;

use serde::de::{Error, MapAccess, Visitor, value};
use serde::{Deserialize, Deserializer};

use super::{Coding, Encode};

/// `encode` of a plugin or of a route to files: yes, no, or what exactly.
#[derive(Clone, Debug)]
pub enum RawEncode {
    /// With the defaults, or not at all.
    All(bool),
    /// What is said, and the defaults for the rest.
    Table(RawEncoding),
}

/// `encode` as a table. Every key may be left out.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawEncoding {
    /// `br`, `zstd` and `gzip`, from the one that is taken if a client has no
    /// preference.
    pub encodings: Option<Vec<String>>,
    /// The shortest body, if its length is known.
    pub bytes_min: Option<u64>,
    /// Media types: `text/html`, `text/*` or `*+json`.
    pub types: Option<Vec<String>>,
}

impl Default for RawEncode {
    fn default() -> Self {
        Self::All(false)
    }
}

/// What is wrong, and how to mend it.
type Wrong = (String, &'static str);

impl RawEncode {
    /// Fills in the defaults and checks every value. None if nothing is encoded.
    pub(crate) fn resolve(&self) -> Result<Option<Encode>, Wrong> {
        let raw = match self {
            Self::All(false) => return Ok(None),
            Self::All(true) => return Ok(Some(Encode::default())),
            Self::Table(raw) => raw,
        };
        let default = Encode::default();
        let bytes_min = raw.bytes_min.unwrap_or(default.bytes_min);
        if bytes_min > 1 << 30 {
            return Err((
                format!("`encode.bytes_min` is {bytes_min}"),
                "give it a number of bytes up to 1 GiB",
            ));
        }
        Ok(Some(Encode {
            codings: match &raw.encodings {
                None => default.codings,
                Some(names) => codings(names)?,
            },
            bytes_min,
            types: match &raw.types {
                None => default.types,
                Some(types) => media_types(types)?,
            },
        }))
    }
}

fn codings(names: &[String]) -> Result<Vec<Coding>, Wrong> {
    const HINT: &str =
        "name some of \"br\", \"zstd\" and \"gzip\"; to encode nothing, leave out `encode`";
    if names.is_empty() {
        return Err(("`encode.encodings` is empty".into(), HINT));
    }
    let mut codings = Vec::with_capacity(names.len());
    for name in names {
        let mut all = Coding::ALL.into_iter();
        let coding = all.find(|coding| coding.name() == name);
        match coding {
            Some(coding) if !codings.contains(&coding) => codings.push(coding),
            Some(_) => return Err((format!("`encode.encodings` has \"{name}\" twice"), HINT)),
            None => return Err((format!("`encode.encodings` has \"{name}\""), HINT)),
        }
    }
    Ok(codings)
}

fn media_types(types: &[String]) -> Result<Vec<String>, Wrong> {
    const HINT: &str = "write them as in \"text/html\", \"text/*\" or \"*+json\"";
    if types.is_empty() {
        return Err(("`encode.types` is empty".into(), HINT));
    }
    let is_token = |text: &str| {
        let is_good = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&byte);
        !text.is_empty() && text.bytes().all(is_good)
    };
    for media in types {
        let is_good = match (media.strip_prefix("*+"), media.split_once('/')) {
            (Some(suffix), _) => is_token(suffix),
            (_, Some((kind, "*"))) => is_token(kind),
            (_, Some((kind, subtype))) => is_token(kind) && is_token(subtype),
            _ => false,
        };
        if !is_good {
            return Err((format!("`encode.types` has \"{media}\""), HINT));
        }
    }
    Ok(types.iter().map(|it| it.to_ascii_lowercase()).collect())
}

impl<'de> Deserialize<'de> for RawEncode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = RawEncode;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("true, false, or a table")
            }

            fn visit_bool<E: Error>(self, all: bool) -> Result<RawEncode, E> {
                Ok(RawEncode::All(all))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RawEncode, A::Error> {
                let table = value::MapAccessDeserializer::new(map);
                RawEncoding::deserialize(table).map(RawEncode::Table)
            }
        }

        deserializer.deserialize_any(Either)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(text: &str) -> Result<Option<Encode>, String> {
        #[derive(Deserialize)]
        struct Entry {
            encode: RawEncode,
        }
        let entry: Entry = toml::from_str(text).map_err(|error| error.to_string())?;
        entry.encode.resolve().map_err(|(message, _)| message)
    }

    #[test]
    fn it_is_a_word_or_a_table() {
        assert_eq!(encode("encode = false"), Ok(None));
        assert_eq!(encode("encode = true"), Ok(Some(Encode::default())));
        assert_eq!(encode("encode = {}"), Ok(Some(Encode::default())));
        let text = "encode = { encodings = ['gzip', 'br'], types = ['Text/*'], bytes_min = 0 }";
        let some = encode(text).unwrap().unwrap();
        assert_eq!(some.codings, [Coding::Gzip, Coding::Brotli]);
        assert_eq!(some.bytes_min, 0);
        assert!(some.has_type("text/css") && !some.has_type("application/json"));
        for (text, expected) in [
            ("encode = 'gzip'", "expected true, false, or a table"),
            ("encode = { level = 9 }", "unknown field `level`"),
            ("encode = { encodings = [] }", "`encode.encodings` is empty"),
            ("encode = { encodings = ['deflate'] }", "has \"deflate\""),
            ("encode = { encodings = ['br', 'br'] }", "\"br\" twice"),
            ("encode = { bytes_min = 1073741825 }", "`encode.bytes_min`"),
            ("encode = { types = [] }", "`encode.types` is empty"),
            ("encode = { types = ['*'] }", "`encode.types` has \"*\""),
            ("encode = { types = ['*/*'] }", "`encode.types` has \"*/*\""),
            ("encode = { types = ['text/'] }", "`encode.types` has"),
            (
                "encode = { types = ['text/html; x'] }",
                "`encode.types` has",
            ),
        ] {
            let error = encode(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
