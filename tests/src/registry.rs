//! Registries of images: a real one, and one that answers as a test wants.

mod fake;
mod image;

pub use fake::{Answer, Asked, Fake, good, status};
pub use image::{Image, Kind};

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::folder::Folder;
use crate::place;
use crate::wait::{PATIENCE, patiently};

/// What it says when it is ready, followed by its address.
const READY: &str = "listening on ";

/// Name and password for a registry that wants them, as they are sent
/// (RFC 7617), and how it knows them.
pub const PAIR: &str = "ada:secret";
const HTPASSWD: &str = "ada:$2b$04$llAiSFCpzNicid.H2y7yDeaLomUMJVLRvjzPPRcwF3h/Nh0Rdh8lS\n";

/// A real registry, on a port of its own. Ends when dropped.
#[derive(Debug)]
pub struct Registry {
    child: Child,
    address: SocketAddr,
    authorization: Option<String>,
    _folder: Folder,
}

impl Registry {
    /// Starts one that lets everybody in.
    pub async fn start() -> Self {
        Self::run("", None).await
    }

    /// Starts one that lets in who has [`PAIR`].
    pub async fn guarded() -> Self {
        use base64::Engine as _;
        let pair = base64::engine::general_purpose::STANDARD.encode(PAIR);
        let auth = "auth:\n  htpasswd:\n    realm: tests\n    path: FOLDER/htpasswd\n";
        Self::run(auth, Some(format!("Basic {pair}"))).await
    }

    async fn run(auth: &str, authorization: Option<String>) -> Self {
        let folder = Folder::new();
        let path = folder.path().display().to_string();
        folder.write("htpasswd", HTPASSWD);
        let settings = "version: 0.1\n\
            storage:\n  filesystem:\n    rootdirectory: FOLDER/storage\n\
            http:\n  addr: 127.0.0.1:0\n";
        let settings = format!("{settings}{auth}").replace("FOLDER", &path);
        let settings = folder.write("registry.yml", settings);
        let mut child = Command::new(place::registry())
            .arg("serve")
            .arg(settings)
            .env("OTEL_TRACES_EXPORTER", "none")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the registry starts");
        let log = child.stderr.take().expect("a pipe");
        let (sender, receiver) = channel();
        // It ends with the process.
        std::thread::spawn(move || {
            for line in BufReader::new(log).lines().map_while(Result::ok) {
                // Nobody listens any more once it is ready.
                let _ = sender.send(line);
            }
        });
        let waiting = tokio::task::spawn_blocking(move || {
            loop {
                let line = receiver.recv_timeout(PATIENCE).expect("a ready registry");
                let address = line.split_once(READY).map(|(_, rest)| rest);
                let address = address.and_then(|it| it.split(['"', ',', ' ']).next());
                if let Some(address) = address.and_then(|it| it.parse().ok()) {
                    break address;
                }
            }
        });
        Self {
            address: patiently("the registry", waiting).await.expect("no panic"),
            child,
            authorization,
            _folder: folder,
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Pushes an image as others do; returns the digest of its manifest.
    pub async fn push(&self, name: &str, tag: &str, image: &Image) -> String {
        for blob in [&image.config, &image.component] {
            let begin = format!("/v2/{name}/blobs/uploads/");
            let begun = self.send("POST", &begin, "", Bytes::new()).await;
            assert_eq!(begun.status(), StatusCode::ACCEPTED, "{begin}");
            let location = begun.headers()["location"].to_str().expect("ASCII");
            let place = location.split_once(&self.address.to_string());
            let place = place.map_or(location, |(_, path)| path);
            let mark = if place.contains('?') { '&' } else { '?' };
            let end = format!("{place}{mark}digest=sha256:{}", image::digest(blob));
            let ended = self.send("PUT", &end, "", blob.clone()).await;
            assert_eq!(ended.status(), StatusCode::CREATED, "{end}");
        }
        let path = format!("/v2/{name}/manifests/{tag}");
        let media_type = "application/vnd.oci.image.manifest.v1+json";
        let manifest = image.manifest.clone();
        let pushed = self.send("PUT", &path, media_type, manifest.into()).await;
        assert_eq!(pushed.status(), StatusCode::CREATED, "{path}");
        image::digest(image.manifest.as_bytes())
    }

    async fn send(
        &self,
        method: &str,
        path: &str,
        media_type: &str,
        body: Bytes,
    ) -> http::Response<Bytes> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", self.address.to_string())
            .header("content-type", media_type);
        if let Some(authorization) = &self.authorization {
            request = request.header("authorization", authorization);
        }
        let request = request.body(Full::new(body)).expect("a request");
        let answer = async {
            let stream = TcpStream::connect(self.address).await?;
            let io = TokioIo::new(stream);
            let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await?;
            tokio::spawn(connection);
            let (head, body) = sender.send_request(request).await?.into_parts();
            let body = body.collect().await?.to_bytes();
            Ok::<_, Box<dyn std::error::Error>>(http::Response::from_parts(head, body))
        };
        patiently("the registry", answer).await.expect("an answer")
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
