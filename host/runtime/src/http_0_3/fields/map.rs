//! The header fields or trailers of one message, as a guest may see and change them.

use std::ops::Deref;
use std::sync::Arc;

use holdfast_core::spare::emptied;
use http::header::{CONTENT_LENGTH, Entry};
use http::{HeaderMap, HeaderName, HeaderValue};
use wasmtime_wasi_http::DEFAULT_FORBIDDEN_HEADERS;
use wasmtime_wasi_http::p3::bindings::http::types::HeaderError;

use super::super::FIELDS_BYTES_MAX;

/// The fields of one message. Those which a guest makes have a limit.
#[derive(Clone, Debug, Default)]
pub(crate) struct FieldMap {
    map: Map,
    /// Counted while a guest may change them.
    bytes: usize,
    is_mutable: bool,
}

/// A guest may ask for the fields of one message as often as it likes, so that these
/// are shared; those which it makes are changed where they are.
#[derive(Clone, Debug)]
enum Map {
    Own(HeaderMap),
    Shared(Arc<HeaderMap>),
}

impl FieldMap {
    /// Those which somebody else has sent, without what is none of a guest's business.
    pub(crate) fn received(mut map: HeaderMap) -> Self {
        let forbidden = map.keys().filter(|name| is_forbidden(name));
        for name in forbidden.cloned().collect::<Vec<_>>() {
            map.remove(name);
        }
        Self {
            map: Map::Own(map),
            bytes: 0,
            is_mutable: false,
        }
    }

    /// None yet, for a guest to make some. `map` is empty, and may own memory.
    pub(crate) fn made(map: HeaderMap) -> Self {
        Self {
            map: Map::Own(map),
            bytes: 0,
            is_mutable: true,
        }
    }

    /// The same once more.
    pub(crate) fn share(&mut self) -> Self {
        if let Map::Own(map) = &mut self.map {
            self.map = Map::Shared(Arc::new(std::mem::take(map)));
        }
        self.clone()
    }

    /// Nobody may change them from now on.
    pub(crate) fn freeze(&mut self) {
        self.is_mutable = false;
    }

    /// A guest may change them from now on.
    pub(crate) fn thaw(&mut self) {
        if !self.is_mutable {
            self.is_mutable = true;
            self.bytes = self.iter().map(|(name, value)| bytes(name, value)).sum();
        }
    }

    /// An empty map with the memory of these, if that is worth keeping.
    pub(crate) fn into_spare(self) -> Option<HeaderMap> {
        match self.map {
            Map::Own(map) => emptied(map),
            Map::Shared(_) => None,
        }
    }

    /// What the Content-Length says. Fields which are made by guests have one at most,
    /// and a valid one.
    pub(crate) fn length(&self) -> Option<u64> {
        self.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
    }

    /// Adds a field behind those which have the same name.
    pub(crate) fn append(&mut self, name: &[u8], value: &[u8]) -> Result<(), HeaderError> {
        let name = self.name(name)?;
        let value = parse(&name, value)?;
        if name == CONTENT_LENGTH && self.contains_key(&name) {
            // With two, others might take one or the other.
            return Err(HeaderError::InvalidSyntax);
        }
        self.grow(bytes(&name, &value))?;
        let appended = self.own().try_append(name, value);
        appended.map(drop).map_err(|_| HeaderError::SizeExceeded)
    }

    /// Gives all fields of a name other values.
    pub(crate) fn set(&mut self, name: &[u8], values: &[Vec<u8>]) -> Result<(), HeaderError> {
        let name = self.name(name)?;
        if name == CONTENT_LENGTH && values.len() > 1 {
            return Err(HeaderError::InvalidSyntax);
        }
        let values = values.iter().map(|value| parse(&name, value));
        let values = values.collect::<Result<Vec<_>, _>>()?;
        let before = self.bytes;
        self.bytes -= self.bytes_of(&name);
        if let Err(error) = self.grow(values.iter().map(|value| bytes(&name, value)).sum()) {
            self.bytes = before;
            return Err(error);
        }
        let map = self.own();
        map.remove(&name);
        for value in values {
            // They may be too many, though not too large.
            let appended = map.try_append(name.clone(), value);
            appended.map_err(|_| HeaderError::SizeExceeded)?;
        }
        Ok(())
    }

    /// Removes all fields of a name, and returns their values.
    pub(crate) fn remove_all(&mut self, name: &[u8]) -> Result<Vec<HeaderValue>, HeaderError> {
        let name = self.name(name)?;
        self.bytes -= self.bytes_of(&name);
        Ok(match self.own().try_entry(name) {
            Ok(Entry::Occupied(entry)) => entry.remove_entry_mult().1.collect(),
            Ok(Entry::Vacant(_)) | Err(_) => Vec::new(),
        })
    }

    /// A name under which a guest may change something.
    fn name(&self, name: &[u8]) -> Result<HeaderName, HeaderError> {
        let name = HeaderName::from_bytes(name).map_err(|_| HeaderError::InvalidSyntax)?;
        if is_forbidden(&name) {
            return Err(HeaderError::Forbidden);
        }
        match self.is_mutable {
            true => Ok(name),
            false => Err(HeaderError::Immutable),
        }
    }

    fn bytes_of(&self, name: &HeaderName) -> usize {
        let values = self.get_all(name).into_iter();
        values.map(|value| bytes(name, value)).sum()
    }

    fn grow(&mut self, bytes: usize) -> Result<(), HeaderError> {
        let sum = self.bytes.saturating_add(bytes);
        if sum > FIELDS_BYTES_MAX {
            return Err(HeaderError::SizeExceeded);
        }
        self.bytes = sum;
        Ok(())
    }

    fn own(&mut self) -> &mut HeaderMap {
        if let Map::Shared(map) = &mut self.map {
            self.map = Map::Own(Arc::unwrap_or_clone(std::mem::take(map)));
        }
        match &mut self.map {
            Map::Own(map) => map,
            Map::Shared(map) => Arc::make_mut(map),
        }
    }
}

impl Default for Map {
    fn default() -> Self {
        Self::Own(HeaderMap::new())
    }
}

impl Deref for FieldMap {
    type Target = HeaderMap;

    fn deref(&self) -> &HeaderMap {
        match &self.map {
            Map::Own(map) => map,
            Map::Shared(map) => map,
        }
    }
}

impl From<FieldMap> for HeaderMap {
    fn from(fields: FieldMap) -> Self {
        match fields.map {
            Map::Own(map) => map,
            Map::Shared(map) => Arc::unwrap_or_clone(map),
        }
    }
}

/// Whether a field belongs to the connection, which is the host's.
fn is_forbidden(name: &HeaderName) -> bool {
    // The constant would be made anew each time.
    static FORBIDDEN: [HeaderName; 9] = DEFAULT_FORBIDDEN_HEADERS;
    FORBIDDEN.contains(name)
}

/// What a field counts for: its text, and what keeps that.
fn bytes(name: &HeaderName, value: &HeaderValue) -> usize {
    size_of::<HeaderName>() + name.as_str().len() + size_of::<HeaderValue>() + value.len()
}

fn parse(name: &HeaderName, value: &[u8]) -> Result<HeaderValue, HeaderError> {
    let parsed = match *name == CONTENT_LENGTH {
        // RFC 9110, section 8.6: digits, and nothing else.
        true => match std::str::from_utf8(value).map(str::parse::<u64>) {
            Ok(Ok(length)) if value.iter().all(u8::is_ascii_digit) => Ok(length.into()),
            _ => return Err(HeaderError::InvalidSyntax),
        },
        false => HeaderValue::from_bytes(value),
    };
    parsed.map_err(|_| HeaderError::InvalidSyntax)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(fields: &[(&str, &str)]) -> FieldMap {
        let mut made = FieldMap::made(HeaderMap::new());
        for (name, value) in fields {
            made.append(name.as_bytes(), value.as_bytes()).unwrap();
        }
        made
    }

    fn values(fields: &FieldMap, name: &str) -> Vec<String> {
        let values = fields.get_all(name).into_iter();
        values
            .map(|value| value.to_str().unwrap().to_owned())
            .collect()
    }

    /// What the counter should say.
    fn recounted(fields: &FieldMap) -> usize {
        fields.iter().map(|(name, value)| bytes(name, value)).sum()
    }

    #[test]
    fn fields_are_added_replaced_and_removed() {
        let mut fields = made(&[("A", "1"), ("b", "2"), ("a", "3")]);
        assert_eq!(values(&fields, "a"), ["1", "3"]);
        fields.set(b"a", &[b"x".into(), b"y".into()]).unwrap();
        assert_eq!(values(&fields, "a"), ["x", "y"]);
        assert_eq!(fields.bytes, recounted(&fields));
        assert_eq!(fields.remove_all(b"A").unwrap(), ["x", "y"]);
        assert_eq!(fields.remove_all(b"a").unwrap(), [""; 0]);
        fields.set(b"b", &[]).unwrap();
        assert!(fields.is_empty());
        assert_eq!(fields.bytes, 0);
    }

    #[test]
    fn what_is_no_field_is_refused() {
        let mut fields = made(&[]);
        let refused = |refusal: Result<(), HeaderError>| format!("{:?}", refusal.unwrap_err());
        for (name, value) in [("a b", "1"), ("", "1"), ("a", "\n"), ("a", "\u{7f}")] {
            let refusal = refused(fields.append(name.as_bytes(), value.as_bytes()));
            assert_eq!(refusal, "HeaderError::InvalidSyntax", "{name:?} {value:?}");
        }
        let refusal = refused(fields.append(b"Connection", b"close"));
        assert_eq!(refusal, "HeaderError::Forbidden");
        fields.freeze();
        let refusal = refused(fields.append(b"a", b"1"));
        assert_eq!(refusal, "HeaderError::Immutable");
        assert!(fields.is_empty());
    }

    #[test]
    fn there_is_one_length_and_it_is_a_number() {
        let mut fields = made(&[("content-length", "007")]);
        assert_eq!(fields["content-length"], "7");
        assert!(fields.append(b"Content-Length", b"7").is_err());
        let two = [b"7".into(), b"7".into()];
        assert!(fields.set(b"content-length", &two).is_err());
        for length in ["", "+5", "-5", " 5", "5 ", "99999999999999999999"] {
            let refused = fields.set(b"content-length", &[length.into()]);
            assert!(refused.is_err(), "{length:?}");
        }
        fields.set(b"content-length", &[b"8".into()]).unwrap();
        assert_eq!(values(&fields, "content-length"), ["8"]);
    }

    #[test]
    fn they_have_no_more_than_so_many_bytes() {
        let mut fields = made(&[]);
        let value = vec![b'x'; 1000];
        let mut count = 0;
        while fields.append(b"a", &value).is_ok() {
            count += 1;
        }
        assert!((100..FIELDS_BYTES_MAX / 1000).contains(&count), "{count}");
        assert!(fields.bytes <= FIELDS_BYTES_MAX);
        assert_eq!(fields.bytes, recounted(&fields));
        let too_many = vec![value.clone(); 200];
        assert!(fields.set(b"a", &too_many).is_err());
        assert_eq!(fields.bytes, recounted(&fields), "nothing has changed");
        fields.set(b"a", &[value]).unwrap();
        assert_eq!(fields.len(), 1);
    }

    #[test]
    fn what_is_shared_is_changed_for_one_alone() {
        let mut received = HeaderMap::new();
        for name in ["host", "connection", "keep-alive", "x"] {
            received.insert(name, HeaderValue::from_static("1"));
        }
        let mut fields = FieldMap::received(received);
        assert_eq!(fields.len(), 1);
        let mut copy = fields.share();
        assert!(copy.append(b"a", b"1").is_err());
        copy.thaw();
        assert_eq!(copy.bytes, recounted(&copy));
        copy.append(b"a", b"1").unwrap();
        assert_eq!((fields.len(), copy.len()), (1, 2));
        assert_eq!(HeaderMap::from(fields.share()).len(), 1);
    }

    #[test]
    fn memory_is_used_again_unless_that_is_much() {
        let spare = made(&[("a", "1")]).into_spare().unwrap();
        assert!(spare.is_empty() && spare.capacity() > 0);
        assert!(made(&[]).share().into_spare().is_none());
        let mut large = made(&[]);
        for number in 0..128 {
            large.append(format!("x{number}").as_bytes(), b"1").unwrap();
        }
        assert!(large.into_spare().is_none());
    }
}
