//! What comes with a request: its body, and the parameters in its query.

use std::borrow::Cow;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::StatusCode;
use hyper::body::Incoming;
use serde::{Deserialize, Deserializer, de};
use serde_json::Value;

use super::failure::Failure;
use super::table::Parameter;

/// The largest body of a request, but for components.
const BODY_BYTES_MAX: usize = 64 << 10;
/// Time a client has for it.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// Entries of a page, if nobody says how many.
pub(super) const PAGE_LEN: usize = 100;
/// Entries of the largest page.
pub(super) const PAGE_LEN_MAX: usize = 1000;
/// Bytes of the longest cursor: the name of a topic has 4096, which become a
/// third more.
pub(super) const CURSOR_BYTES_MAX: usize = 5500;

/// Reads a body.
pub(super) async fn read<T: for<'a> Deserialize<'a>>(body: Incoming) -> Result<T, Failure> {
    parse(&bytes(body).await?)
}

/// For fuzzing: reads this as each kind of body.
#[cfg(test)]
pub(super) fn fuzz(body: &[u8]) {
    let _ = parse::<super::connections::CloseRequest>(body);
    let _ = parse::<super::connections::SendRequest>(body);
    let _ = parse::<super::drains::DrainRequest>(body);
    let _ = parse::<super::topics::PublishRequest>(body);
    let _ = parse::<super::answer::Rollback>(body);
    let _ = parse::<super::answer::Deployment>(body);
}

/// Reads a body that may be left out.
pub(super) async fn read_or_default<T: Default + for<'a> Deserialize<'a>>(
    body: Incoming,
) -> Result<T, Failure> {
    let body = bytes(body).await?;
    match body.is_empty() {
        true => Ok(T::default()),
        false => parse(&body),
    }
}

fn parse<T: for<'a> Deserialize<'a>>(body: &[u8]) -> Result<T, Failure> {
    let bad = |error: String| {
        let error = format!("the body can't be read: {error}");
        Failure::bad_request(error, "send a JSON object as /v1/openapi.json describes it")
    };
    let value: Value = serde_json::from_slice(body).map_err(|error| bad(error.to_string()))?;
    // A list would be taken for the fields in their order.
    if !value.is_object() {
        return Err(bad("it is no object".into()));
    }
    serde_json::from_value(value).map_err(|error| bad(error.to_string()))
}

async fn bytes(body: Incoming) -> Result<Bytes, Failure> {
    let reading = Limited::new(body, BODY_BYTES_MAX).collect();
    let read = tokio::time::timeout(BODY_TIMEOUT, reading).await;
    let hint = "send a JSON object as /v1/openapi.json describes it";
    let read = read.map_err(|_| Failure::bad_request("the body did not come in time", hint))?;
    match read {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) => Err(Failure::bad_request(
            format!("the body can't be read: {error}"),
            hint,
        )),
    }
}

/// An integer; 7.0 is one, too (JSON Schema, section 6.1.1 of the validation).
pub(super) fn whole_number<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<u64>,
{
    let number = serde_json::Number::deserialize(deserializer)?;
    let whole = |number: f64| {
        let is_whole = number.fract() == 0.0 && (0.0..9e15).contains(&number);
        is_whole.then_some(number as u64)
    };
    let value = number.as_u64().or_else(|| number.as_f64().and_then(whole));
    let value = value.and_then(|value| T::try_from(value).ok());
    value.ok_or_else(|| de::Error::custom(format!("{number} is out of range")))
}

/// The parameters in the query of a request.
pub(super) struct Query<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Query<'a> {
    /// Each may come once, and none but those which the table names.
    pub(super) fn parse(query: Option<&'a str>, known: &[Parameter]) -> Result<Self, Failure> {
        let mut pairs: Vec<(Cow<'_, str>, _)> = Vec::new();
        for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            let names = known.iter().map(|parameter| parameter.name);
            if !names.clone().any(|known| known == name) {
                let names: Vec<_> = names.map(|it| format!("`{it}`")).collect();
                let hint = match names.is_empty() {
                    true => "leave it out".to_owned(),
                    false => format!("there are {}", names.join(", ")),
                };
                let error = format!("there is no parameter `{name}` here");
                return Err(Failure::bad_request(error, hint));
            }
            if pairs.iter().any(|(other, _)| *other == name) {
                let error = format!("the parameter `{name}` is there twice");
                return Err(Failure::bad_request(error, "give it once"));
            }
            pairs.push((name, value));
        }
        Ok(Self(pairs))
    }

    /// The value of a parameter.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let mut pairs = self.0.iter();
        pairs.find_map(|(known, value)| (known == name).then_some(&**value))
    }

    /// Which page of a list.
    pub(super) fn page(&self) -> Result<Page, Failure> {
        let limit = match self.get("limit") {
            None => PAGE_LEN,
            Some(text) => {
                let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
                let limit = text.parse().ok().filter(|_| is_number);
                let limit = limit.filter(|limit| (1..=PAGE_LEN_MAX).contains(limit));
                limit.ok_or_else(|| {
                    let hint = format!("take a number from 1 to {PAGE_LEN_MAX}");
                    Failure::bad_request("`limit` can't be that", hint)
                })?
            }
        };
        let after = self.get("cursor").map(|cursor| {
            let name = Some(cursor).filter(|cursor| cursor.len() <= CURSOR_BYTES_MAX);
            let name = name.and_then(|cursor| URL_SAFE_NO_PAD.decode(cursor).ok());
            let name = name.and_then(|name| String::from_utf8(name).ok());
            name.ok_or_else(unknown_cursor)
        });
        Ok(Page {
            limit,
            after: after.transpose()?,
        })
    }
}

/// Whether a tenant or a plugin can be named so.
pub(super) fn is_name(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    (1..=64).contains(&text.len()) && text.bytes().all(is_plain)
}

/// 422: whether it is one can't be seen by a schema.
pub(super) fn unknown_cursor() -> Failure {
    Failure::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "there is no such `cursor`",
        "take `next` of the page before, or leave it out for the first page",
    )
}

/// A part of a list.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page {
    /// Entries at most.
    pub(super) limit: usize,
    /// The name of the last of the page before.
    pub(super) after: Option<String>,
}

impl Page {
    /// The cursor of the page after one that ends with this name, if it is full.
    pub(super) fn next(&self, len: usize, last: Option<impl AsRef<[u8]>>) -> Option<String> {
        last.filter(|_| len == self.limit)
            .map(|last| URL_SAFE_NO_PAD.encode(last))
    }
}

#[cfg(test)]
mod tests {
    use super::super::table::PAGING;
    use super::*;

    #[test]
    fn a_body_is_an_object() {
        #[derive(Debug, PartialEq, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct It {
            #[serde(deserialize_with = "whole_number")]
            number: u16,
        }
        let parse = |text: &str| super::parse::<It>(text.as_bytes()).ok();
        assert_eq!(parse("{\"number\":7}"), Some(It { number: 7 }));
        assert_eq!(parse("{\"number\":7.0}"), Some(It { number: 7 }));
        for bad in [
            "[7]",
            "7",
            "",
            "{\"number\":7.5}",
            "{\"number\":-1}",
            "{\"number\":65536}",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_query_has_what_the_table_names_and_nothing_else() {
        let parse = |query| Query::parse(query, &PAGING).and_then(|it| it.page()).ok();
        let page = |limit, after: Option<&str>| {
            let after = after.map(str::to_owned);
            Some(Page { limit, after })
        };
        assert_eq!(parse(None), page(100, None));
        assert_eq!(parse(Some("limit=7&cursor=YSBi")), page(7, Some("a b")));
        assert_eq!(parse(Some("cursor=")), page(100, Some("")));
        for query in [
            "limit=0",
            "limit=1001",
            "limit=%2B1",
            "limit=",
            "limit=1&limit=2",
            "cursor=%",
            "cursor=_w",
            "other=1",
        ] {
            assert_eq!(parse(Some(query)), None, "{query}");
        }
    }
}
