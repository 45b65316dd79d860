//! What is fuzzed of this crate, for `fuzz/` alone: each function takes any bytes,
//! and panics if something does not hold.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use holdfast_core::limits::{Http2Limits, Limits, OnError, RawLimits, SlowConsumer};
use holdfast_core::manifest::{Proxies, ProxyFields};
use holdfast_core::websocket::{Compression, Origins};
use holdfast_core::{Message, MessageRef};
use http::header::{HeaderName, HeaderValue};
use http::request::Parts;
use http::{Method, Request, Version};

use crate::deflate::{self, Compressors, Expander};
use crate::forwarded;
use crate::frame::{Decoder, FrameError, Item, Rules};
use crate::{handshake, http1, http2, preference, proxy, target, tls};

/// The result of a future that waits for nothing.
fn now<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    match future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        Poll::Ready(result) => Some(result),
        Poll::Pending => None,
    }
}

/// The first byte, and the others.
fn split(data: &[u8]) -> (u8, &[u8]) {
    data.split_first()
        .map_or((0, data), |(first, rest)| (*first, rest))
}

/// A request of lines such as `name: value`, the first of which is method and
/// target; what can't be one is left out.
fn request(data: &[u8]) -> Option<Parts> {
    let mut lines = data.split(|byte| *byte == b'\n');
    let mut words = lines.next()?.splitn(2, |byte| *byte == b' ');
    let method = Method::from_bytes(words.next()?).ok()?;
    let mut parts = Request::new(()).into_parts().0;
    parts.method = method;
    parts.uri = words.next()?.try_into().ok()?;
    parts.version = Version::HTTP_11;
    for line in lines {
        let colon = line.iter().position(|byte| *byte == b':');
        let (name, value) = line.split_at_checked(colon.unwrap_or(0))?;
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        if let Ok(name) = HeaderName::from_bytes(name)
            && let Ok(value) = HeaderValue::from_bytes(value)
        {
            parts.headers.append(name, value);
        }
    }
    Some(parts)
}

/// The PROXY protocol, both versions.
pub fn proxy_protocol(data: &[u8]) {
    const MOST: usize = 16 + 4096;
    let mut rest = data;
    let read = now(proxy::read(&mut rest));
    assert!(read.is_some(), "it waits for nothing");
    assert!(data.len() - rest.len() <= MOST, "what follows is not its");
}

/// The head of a request: its target, a WebSocket handshake, who may do that, and
/// what browsers prefer.
pub fn upgrade(data: &[u8]) {
    let Some(mut parts) = request(data) else {
        return;
    };
    preference::is_for_html(&parts.headers);
    target::is_expected(&parts);
    let authority = target::authority(&parts).map(str::to_owned);
    if let Ok(authority) = &authority {
        assert!(!authority.contains(['/', '@', ' ']), "{authority:?}");
    }
    let _ = target::check(&parts);
    if authority.is_ok() {
        target::settle(&mut parts);
        // Whoever is asked afterwards hears the same.
        let settled = target::authority(&parts).map(str::to_owned);
        assert_eq!(settled, authority);
    }
    handshake::is_attempt(&parts);
    let limits = Limits::resolve(
        &RawLimits::default(),
        SlowConsumer::default(),
        OnError::default(),
    );
    for offer in [
        handshake::check(&parts, false),
        handshake::check_tunnel(&parts),
    ] {
        let Ok(offer) = offer else {
            continue;
        };
        for name in &offer.subprotocols {
            assert!(!name.is_empty() && name.bytes().all(handshake::is_token_byte));
        }
        let Ok(limits) = &limits else {
            continue;
        };
        let mut limits = limits.connection.clone();
        limits.policies.compression = Compression::Context;
        if let Some((agreed, _)) = deflate::negotiate(&offer.deflate, &limits) {
            let packed = deflate::Agreed::pack(Some(agreed));
            assert_eq!(deflate::Agreed::unpack(packed), Some(agreed));
        }
        let response = offer.accept(None, Default::default());
        assert!(response.status() == 101 || response.status() == 200);
    }
}

/// What trusted proxies say in header fields.
pub fn forwarded_fields(data: &[u8]) {
    let (kind, rest) = split(data);
    let Some(parts) = request(rest) else {
        return;
    };
    let proxies = Proxies {
        trusted: "10.0.0.0/8".parse().into_iter().collect(),
        fields: match kind % 2 {
            0 => ProxyFields::XForwarded,
            _ => ProxyFields::Forwarded,
        },
        ..Proxies::default()
    };
    let said = forwarded::said(&parts.headers, &proxies);
    let nothing = parts.headers.is_empty() && said.client.is_some();
    assert!(!nothing, "nobody has said so");
}

/// Everything that a decoder makes of some bytes, until they are over or wrong.
fn decode<'a>(
    pieces: impl Iterator<Item = &'a [u8]>,
    rules: Rules,
) -> (Vec<Item>, Option<FrameError>) {
    let (mut decoder, mut items) = (Decoder::default(), Vec::new());
    for mut piece in pieces {
        while !piece.is_empty() {
            let decoded = match decoder.decode(piece, rules) {
                Ok(decoded) => decoded,
                Err(error) => return (items, Some(error)),
            };
            assert!(decoded.used > 0 || decoded.item.is_some(), "it goes on");
            piece = piece.get(decoded.used..).unwrap_or_default();
            items.extend(decoded.item);
        }
    }
    (items, None)
}

/// The frames of a WebSocket, in whole and in pieces.
pub fn frames(data: &[u8]) {
    let (step, data) = split(data);
    let (kind, data) = split(data);
    let rules = Rules {
        message_bytes_max: 1 << (kind % 16),
        may_deflate: kind & 0x80 != 0,
    };
    let whole = decode(std::iter::once(data), rules);
    let pieces = decode(data.chunks(usize::from(step).max(1)), rules);
    assert_eq!(whole.0, pieces.0);
    assert_eq!(
        whole.1.map(FrameError::code),
        pieces.1.map(FrameError::code),
        "{whole:?}, {pieces:?}"
    );
    for item in whole.0 {
        match item {
            Item::Message(Message::Text(text)) => assert!(text.len() <= rules.message_bytes_max),
            Item::Message(Message::Binary(bytes)) => {
                assert!(bytes.len() <= rules.message_bytes_max);
            }
            Item::Ping(payload) => assert!(payload.len() <= 125),
            Item::Deflated(_) => assert!(rules.may_deflate),
            Item::Pong | Item::Close(_) => {}
        }
    }
}

/// Compressed messages, after others; and the way back.
pub fn compression(data: &[u8]) {
    let (kind, data) = split(data);
    let (first_len, data) = split(data);
    let bytes_max = 1 << (kind % 16);
    let bits = 9 + (kind >> 4) % 7;
    let mut windows = deflate::Windows::default();
    let (mut expander, compressors) = (Expander::default(), Compressors::default());
    let first_len = usize::from(first_len).min(data.len());
    let (first, second) = data.split_at(first_len);
    for payload in [first, second] {
        let Ok(bytes) = expander.expand(payload, bytes_max, Some(&windows.received)) else {
            continue;
        };
        assert!(bytes.len() <= bytes_max);
        windows.received.add(&bytes, 15);
    }
    // What is compressed is what comes out.
    let message = MessageRef::Binary(second);
    if let Some(frame) = compressors.compress(message, bits, Some(&windows.received)) {
        let rules = Rules {
            message_bytes_max: usize::MAX,
            may_deflate: true,
        };
        let unmasked = mask(&frame);
        let decoded = decode(std::iter::once(&unmasked[..]), rules);
        if let [Item::Deflated(deflated)] = &decoded.0[..] {
            let expanded = expander.expand(
                &deflated.payload,
                second.len().max(1),
                Some(&windows.received),
            );
            assert_eq!(expanded.as_deref(), Ok(second));
        } else {
            assert_eq!(decoded.0.len(), 1, "no message: {decoded:?}");
        }
    }
}

/// A frame of the host's as one of a client's, with a mask of zeros.
fn mask(frame: &[u8]) -> Vec<u8> {
    let mut masked = frame.to_vec();
    let header_len = match frame.get(1) {
        Some(126) => 4,
        Some(127) => 10,
        _ => 2,
    };
    if let Some(len) = masked.get_mut(1) {
        *len |= 0x80;
    }
    let at = header_len.min(masked.len());
    masked.splice(at..at, [0; 4]);
    masked
}

/// HTTP/1: its framing, in whole and in pieces, and what heads say.
pub fn http1_framing(data: &[u8]) {
    let (step, data) = split(data);
    let whole = http1::framing::follow(std::iter::once(data));
    let pieces = http1::framing::follow(data.chunks(usize::from(step).max(1)));
    assert_eq!(whole, pieces);
    http1::read_head(data);
}

/// The frames of HTTP/2, as far as the host itself looks at them.
pub fn http2_frames(data: &[u8]) {
    let (step, data) = split(data);
    let limits = Http2Limits {
        resets_per_second_max: 10,
        control_frames_per_second_max: 10,
        ..Http2Limits::default()
    };
    http2::watch(data.chunks(usize::from(step).max(1)), &limits);
}

/// The certificate of a client.
pub fn client_certificate(data: &[u8]) {
    if let Some(field) = tls::subject_of(data) {
        assert!(field.len() <= 4096);
    }
    // And a subject alone, since few bytes are a certificate.
    tls::subject_text(data);
}

/// From which pages browsers may come: an origin, the host of the request, and then
/// what the manifest says.
pub fn origins(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut lines = text.lines();
    let origin = lines.next().unwrap_or_default();
    let authority = lines.next().unwrap_or_default();
    let list: Vec<String> = lines.map(str::to_owned).collect();
    let Ok(origins) = Origins::new(&list) else {
        return;
    };
    let is_allowed = origins.allow(origin, authority);
    let is_any = list.iter().any(|it| it == "*");
    assert!(is_allowed || !is_any, "all pages may");
    assert!(!is_allowed || !list.is_empty(), "none may");
}
