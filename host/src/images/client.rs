//! Asks a registry (distribution specification 1.1): over TLS unless it is on this
//! machine or the operator has said otherwise, with a token or a password when it
//! asks for one, and along the redirects by which it leads to its storage.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use holdfast_core::manifest::Image;
use holdfast_runtime::{is_public, public_tls};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Body;
use hyper::header::{ACCEPT, AUTHORIZATION, HOST, LOCATION, USER_AGENT, WWW_AUTHENTICATE};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use super::PullError;
use super::challenge::Challenge;
use super::credentials::Credentials;
use super::url::{Url, is_loopback};

/// Time for a connection, that for TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How often a registry may lead elsewhere for one answer.
const REDIRECTS_MAX: usize = 5;

/// Bytes of the head of an answer, and of an answer with a token.
const HEAD_BYTES_MAX: usize = 64 << 10;
const TOKEN_BYTES_MAX: u64 = 64 << 10;

/// Docker's registry, which has another name than it is called by.
const HUB: (&str, &str) = ("docker.io", "registry-1.docker.io");

/// What is asked for.
pub(super) struct Wanted {
    /// Path and query at the registry.
    pub(super) path: String,
    pub(super) accept: &'static str,
    pub(super) bytes_max: u64,
}

/// Asks one registry for one image.
pub(super) struct Client<'a> {
    plain_http: &'a [String],
    registry: Url,
    repository: &'a str,
    credentials: Credentials,
    /// What the registry has been satisfied with.
    authorization: RefCell<Option<String>>,
    /// The registry is in a network of its own; so may be what it leads to.
    is_inside: Cell<bool>,
}

/// The answer to one request; the body only of a good one.
struct Answer {
    head: hyper::http::response::Parts,
    body: Vec<u8>,
}

trait Stream: AsyncRead + AsyncWrite + Unpin {}
impl<T: AsyncRead + AsyncWrite + Unpin> Stream for T {}

impl<'a> Client<'a> {
    pub(super) fn new(
        plain_http: &'a [String],
        image: &'a Image,
        credentials: Credentials,
    ) -> Self {
        let (called, authority) = HUB;
        let authority = match &*image.registry {
            registry if registry == called => authority.to_owned(),
            registry => registry.to_owned(),
        };
        Self {
            registry: Url {
                tls: !may_be_plain(plain_http, &authority),
                authority,
                path: "/".into(),
            },
            plain_http,
            repository: &image.repository,
            credentials,
            authorization: RefCell::default(),
            is_inside: Cell::new(false),
        }
    }

    /// The body of a good answer.
    pub(super) async fn get(&self, wanted: Wanted) -> Result<Vec<u8>, PullError> {
        let url = Url {
            path: wanted.path.clone(),
            ..self.registry.clone()
        };
        let mut answer = self.follow(&url, &wanted).await?;
        if answer.head.status == StatusCode::UNAUTHORIZED
            && let Some(authorization) = self.satisfy(&answer).await?
        {
            self.authorization.replace(Some(authorization));
            answer = self.follow(&url, &wanted).await?;
        }
        match answer.head.status.is_success() {
            true => Ok(answer.body),
            false => Err(PullError::status(&url.authority, answer.head.status)),
        }
    }

    /// Asks, and follows redirects. What the registry has been shown, nobody else
    /// is.
    async fn follow(&self, url: &Url, wanted: &Wanted) -> Result<Answer, PullError> {
        let mut url = url.clone();
        let mut authorization = self.authorization.borrow().clone();
        for _ in 0..=REDIRECTS_MAX {
            let answer = self.ask(&url, wanted, authorization.as_deref()).await?;
            if !answer.head.status.is_redirection() {
                return Ok(answer);
            }
            let location = answer.head.headers.get(LOCATION);
            let location = location.and_then(|it| it.to_str().ok());
            let next = location.and_then(|it| url.join(it));
            let next = next.ok_or_else(|| protocol(&url, "it leads nowhere"))?;
            if next.authority != url.authority || next.tls != url.tls {
                authorization = None;
            }
            url = next;
        }
        Err(protocol(&url, "it leads on and on"))
    }

    /// What satisfies a challenge; none if nothing would.
    async fn satisfy(&self, answer: &Answer) -> Result<Option<String>, PullError> {
        let fields = answer.head.headers.get_all(WWW_AUTHENTICATE).iter();
        let mut challenges = fields.filter_map(|it| Challenge::parse(it.to_str().ok()?));
        match challenges.next() {
            Some(Challenge::Basic) => Ok(self.credentials.basic()),
            Some(Challenge::Bearer {
                realm,
                service,
                scope,
            }) => {
                let scope = scope.unwrap_or_else(|| format!("repository:{}:pull", self.repository));
                let token = self.token(&realm, service.as_deref(), &scope).await?;
                Ok(Some(format!("Bearer {token}")))
            }
            None => Ok(None),
        }
    }

    /// A token from whoever gives them out for the registry.
    async fn token(
        &self,
        realm: &str,
        service: Option<&str>,
        scope: &str,
    ) -> Result<String, PullError> {
        #[derive(Deserialize)]
        struct Token {
            token: Option<String>,
            access_token: Option<String>,
        }
        let mut query = form_urlencoded::Serializer::new(String::new());
        if let Some(service) = service {
            query.append_pair("service", service);
        }
        query.append_pair("scope", scope);
        let query = query.finish();
        let mark = if realm.contains('?') { '&' } else { '?' };
        let url = Url::parse(&format!("{realm}{mark}{query}"));
        let url = url.ok_or_else(|| protocol(&self.registry, "its tokens are nowhere"))?;
        let wanted = Wanted {
            path: String::new(),
            accept: "application/json",
            bytes_max: TOKEN_BYTES_MAX,
        };
        let basic = self.credentials.basic();
        let answer = self.ask(&url, &wanted, basic.as_deref()).await?;
        if !answer.head.status.is_success() {
            return Err(PullError::status(&url.authority, answer.head.status));
        }
        let token: Option<Token> = serde_json::from_slice(&answer.body).ok();
        let token = token.and_then(|it| it.token.or(it.access_token));
        token.ok_or_else(|| protocol(&url, "it gives no token"))
    }

    /// One request on a connection of its own.
    async fn ask(
        &self,
        url: &Url,
        wanted: &Wanted,
        authorization: Option<&str>,
    ) -> Result<Answer, PullError> {
        let failed = |error: hyper::Error| protocol(url, &error.to_string());
        let mut request = Request::get(&url.path)
            .header(HOST, &url.authority)
            .header(ACCEPT, wanted.accept)
            .header(USER_AGENT, concat!("holdfast/", env!("CARGO_PKG_VERSION")));
        if let Some(authorization) = authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        let request = request.body(Empty::<Bytes>::new());
        let request = request.map_err(|error| protocol(url, &error.to_string()))?;
        let connected = tokio::time::timeout(CONNECT_TIMEOUT, self.connect(url)).await;
        let connected = connected.unwrap_or_else(|_| Err(unreachable(url, "it takes too long")));
        let (mut sender, connection) = hyper::client::conn::http1::Builder::new()
            .max_buf_size(HEAD_BYTES_MAX)
            .handshake(TokioIo::new(connected?))
            .await
            .map_err(failed)?;
        let exchange = async {
            let response = sender.send_request(request).await.map_err(failed)?;
            read(url, wanted.bytes_max, response).await
        };
        // The connection does the work, and ends with the answer or before it.
        let mut exchange = std::pin::pin!(exchange);
        tokio::select! {
            answer = &mut exchange => answer,
            ended = connection => {
                ended.map_err(failed)?;
                exchange.await
            }
        }
    }

    async fn connect(&self, url: &Url) -> Result<Box<dyn Stream>, PullError> {
        if !url.tls && !may_be_plain(self.plain_http, &url.authority) {
            let host = url.authority.clone();
            return Err(PullError::Plain { host });
        }
        let stream = self.connect_tcp(url).await?;
        if !url.tls {
            return Ok(Box::new(stream));
        }
        let name = ServerName::try_from(url.host().to_owned());
        let name = name.map_err(|error| unreachable(url, &error.to_string()))?;
        let stream = TlsConnector::from(public_tls()).connect(name, stream);
        let stream = stream.await;
        Ok(Box::new(stream.map_err(|error| {
            protocol(url, &format!("no TLS: {error}"))
        })?))
    }

    async fn connect_tcp(&self, url: &Url) -> Result<TcpStream, PullError> {
        let addresses = tokio::net::lookup_host((url.host(), url.port())).await;
        let addresses = addresses.map_err(|error| unreachable(url, &error.to_string()))?;
        let is_registry = url.host() == self.registry.host();
        let mut why = unreachable(url, "its name has no address");
        for address in addresses {
            if !is_registry && !self.may_be_led_to(address) {
                why = PullError::Inward {
                    host: url.authority.clone(),
                };
                continue;
            }
            match TcpStream::connect(address).await {
                Ok(stream) => {
                    if is_registry && !is_public(address.ip()) {
                        self.is_inside.set(true);
                    }
                    return Ok(stream);
                }
                Err(error) => why = unreachable(url, &error.to_string()),
            }
        }
        Err(why)
    }

    /// Whether the registry may send somebody there who is in another network.
    fn may_be_led_to(&self, address: SocketAddr) -> bool {
        self.is_inside.get() || is_public(address.ip())
    }
}

async fn read<B>(url: &Url, bytes_max: u64, response: Response<B>) -> Result<Answer, PullError>
where
    B: Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (head, body) = response.into_parts();
    if !head.status.is_success() {
        let body = Vec::new();
        return Ok(Answer { head, body });
    }
    let most = usize::try_from(bytes_max).unwrap_or(usize::MAX);
    match Limited::new(body, most).collect().await {
        Ok(body) => Ok(Answer {
            head,
            body: body.to_bytes().into(),
        }),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => Err(PullError::TooLarge {
            bytes: bytes_max.saturating_add(1),
            max: bytes_max,
        }),
        Err(error) => Err(protocol(url, &error.to_string())),
    }
}

fn may_be_plain(plain_http: &[String], authority: &str) -> bool {
    is_loopback(authority) || plain_http.iter().any(|it| it == authority)
}

fn unreachable(url: &Url, why: &str) -> PullError {
    PullError::Connect {
        host: url.authority.clone(),
        why: why.to_owned(),
    }
}

fn protocol(url: &Url, why: &str) -> PullError {
    PullError::Protocol {
        host: url.authority.clone(),
        why: why.to_owned(),
    }
}
