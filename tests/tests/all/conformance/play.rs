//! Plays a case: a script with a step in each line.
//!
//! - `a = /path` opens the socket `a`; `a = /path offering x, y` with subprotocols
//! - `a > TEXT`, `a >> HEX` send a text and a binary message
//! - `a < TEXT`, `a << HEX` wait for one
//! - `a takes COUNT topics` subscribes it to them
//! - `a field NAME VALUE` looks at the 101
//! - `a leaves CODE REASON` closes it by the client, `a is lost` without a word
//! - `a ends CODE REASON` waits for its end
//! - `refused /path` is a handshake that is not accepted
//! - `GET /path`, `POST /path BODY` send a request; `GET /path with NAME: VALUE,
//!   NAME: VALUE` has header fields
//! - `gives STATUS BODY`, `field NAME VALUE` look at the last response
//! - `log WORDS | WORDS` waits for a line of the log that has all of these
//!
//! Texts may have holes (see [`super::pattern`]); `\n` is a line break.

use std::collections::BTreeMap;

use holdfast_tests::host::Host;
use holdfast_tests::http::{Response, full, request, whole};
use holdfast_tests::socket::{End, Socket, handshake, handshake_offering};
use tokio_tungstenite::tungstenite::Message;

use super::pattern::{Known, filled, matches};

/// A case under way.
pub(super) struct Play<'a> {
    host: &'a Host,
    sockets: BTreeMap<String, Socket>,
    response: Option<Response>,
    known: Known,
}

impl<'a> Play<'a> {
    pub(super) fn new(host: &'a Host) -> Self {
        Self {
            host,
            sockets: BTreeMap::new(),
            response: None,
            known: Known::new(),
        }
    }

    /// Gives a value a name.
    pub(super) fn know(&mut self, name: &str, value: &str) {
        self.known.insert(name.to_owned(), value.to_owned());
    }

    /// Plays every step.
    pub(super) async fn all(mut self, script: &str) {
        for line in script.lines().map(str::trim) {
            if !line.is_empty() {
                self.step(line).await;
            }
        }
    }

    async fn step(&mut self, line: &str) {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "GET" | "POST" | "PUT" | "DELETE" | "HEAD" => self.ask(word, rest).await,
            "gives" => self.gives(line, rest),
            "field" => {
                let (name, expected) = words(rest);
                let response = self.response.as_ref().expect("a response");
                let value = response.header(name).to_owned();
                self.expect(line, expected, &value);
            }
            "refused" => self.refused(rest).await,
            "log" => {
                let words: Vec<String> = rest
                    .split(" | ")
                    .map(|words| filled(words, &self.known))
                    .collect();
                let words: Vec<&str> = words.iter().map(String::as_str).collect();
                self.host.logged(&words).await;
            }
            socket => {
                let (verb, rest) = words(rest);
                self.at_socket(line, socket, verb, rest).await;
            }
        }
    }

    async fn at_socket(&mut self, line: &str, name: &str, verb: &str, rest: &str) {
        match verb {
            "=" => {
                let opened = self.open(rest).await;
                self.sockets.insert(name.to_owned(), opened);
            }
            ">" => {
                let text = filled(rest, &self.known);
                self.socket(name).send(&text).await;
            }
            ">>" => {
                let bytes = bytes(&filled(rest, &self.known));
                let message = Message::binary(bytes);
                self.socket(name).send_message(message).await;
            }
            "<" => match self.socket(name).message().await {
                Some(Ok(Message::Text(text))) => self.expect(line, rest, &text),
                other => panic!("{line}: got {other:?}"),
            },
            "<<" => {
                let expected = bytes(&filled(rest, &self.known));
                match self.socket(name).message().await {
                    Some(Ok(Message::Binary(bytes))) => assert!(bytes == expected, "{line}"),
                    other => panic!("{line}: got {other:?}"),
                }
            }
            "field" => {
                let (field, expected) = words(rest);
                let value = self.socket(name).header(field).to_owned();
                self.expect(line, expected, &value);
            }
            "takes" => {
                let (count, _) = words(rest);
                let count: u32 = count.parse().expect("a number");
                for number in 0..count {
                    let command = format!("subscribe topic-{number}");
                    let answer = self.socket(name).ask(&command).await;
                    assert_eq!(answer, "subscribed", "{line}");
                }
            }
            "leaves" => {
                let (code, reason) = words(rest);
                let code = code.parse().expect("a code");
                self.socket(name).close(code, reason).await;
            }
            "is" if rest == "lost" => drop(self.sockets.remove(name)),
            "ends" => {
                let (code, reason) = words(rest);
                let reason = filled(reason, &self.known);
                let expected = End::Closed(code.parse().expect("a code"), reason);
                let end = self.socket(name).end().await;
                assert_eq!(end, expected, "{line}");
            }
            _ => panic!("{line}: no such step"),
        }
    }

    async fn open(&self, target: &str) -> Socket {
        match target.split_once(" offering ") {
            Some((path, subprotocols)) => {
                let request = handshake_offering(path, subprotocols);
                Socket::offer(self.host, request).await.expect("accepted")
            }
            None => Socket::open(self.host, target).await,
        }
    }

    async fn refused(&mut self, path: &str) {
        let refusal = Socket::offer(self.host, handshake(path)).await;
        let (head, body) = refusal.expect_err("refused").into_parts();
        self.response = Some(Response {
            status: head.status,
            headers: head.headers,
            body: body.unwrap_or_default().into(),
        });
    }

    async fn ask(&mut self, method: &str, rest: &str) {
        let (target, rest) = words(rest);
        let target = filled(target, &self.known);
        let fields = rest.strip_prefix("with ").unwrap_or_default();
        let body = if fields.is_empty() { rest } else { "" };
        let body = filled(body, &self.known);
        let mut request = request(method, &target, full(body));
        for field in fields.split(", ").filter(|field| !field.is_empty()) {
            let (name, value) = field.split_once(": ").expect("a header field");
            let name: http::HeaderName = name.parse().expect("a name");
            let value = value.parse().expect("a value");
            request.headers_mut().append(name, value);
        }
        if method == "POST" {
            let plain = http::HeaderValue::from_static("text/x-conformance");
            request.headers_mut().insert("content-type", plain);
        }
        self.response = Some(whole(self.host, request).await);
    }

    fn gives(&mut self, line: &str, rest: &str) {
        let (status, expected) = words(rest);
        let response = self.response.as_ref().expect("a response");
        let body = response.text().to_owned();
        let status: u16 = status.parse().expect("a status");
        assert_eq!(response.status, status, "{line}: {}", short(&body));
        // Whatever a failed response says is the host's affair.
        if status != 500 {
            self.expect(line, expected, &body);
        }
    }

    fn socket(&mut self, name: &str) -> &mut Socket {
        self.sockets.get_mut(name).expect("an open socket")
    }

    fn expect(&mut self, line: &str, expected: &str, text: &str) {
        let expected = expected.replace("\\n", "\n");
        let is_so = matches(&expected, text, &mut self.known);
        assert!(is_so, "{line}: got {}", short(text));
    }
}

/// The first word, and the rest.
fn words(text: &str) -> (&str, &str) {
    text.split_once(' ').unwrap_or((text, ""))
}

/// The bytes that hexadecimal digits stand for.
fn bytes(digits: &str) -> Vec<u8> {
    let digits = digits.as_bytes().chunks(2);
    digits
        .map(|pair| {
            let pair = std::str::from_utf8(pair).expect("ASCII");
            u8::from_str_radix(pair, 16).expect("hexadecimal digits")
        })
        .collect()
}

/// Something to show of a text, however long it is.
fn short(text: &str) -> String {
    let start: String = text.chars().take(200).collect();
    format!("{start:?} ({} bytes)", text.len())
}
