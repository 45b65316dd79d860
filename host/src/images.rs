//! Components in registries (`oci://…`): finds out what a reference stands for,
//! brings it, checks that it is what was asked for, and keeps it under its digest.
//!
//! ```text
//! reference ─► manifest ─► layer ─► component
//!     │           ▲          ▲
//!     └── shelf ──┴──────────┴── registry (only for what is not on the shelf)
//! ```
//!
//! It blocks, and is called where components are loaded, never on an event loop.
//! What a reference with a digest stands for never changes, so that it takes no
//! registry once it is on the shelf; a tag is asked for whenever a component is
//! loaded, and what it stood for last is taken if the registry can't be reached.

mod challenge;
mod client;
mod credentials;
mod document;
mod error;
mod shelf;
mod url;

use std::path::{Path, PathBuf};
use std::time::Duration;

use holdfast_core::limits::LoadLimits;
use holdfast_core::manifest::{self, Image, NotAnImage};
use holdfast_runtime::{Digest, Loader};

pub(crate) use error::PullError;
pub(crate) use shelf::Shelf;

use crate::cli::Storage;
use crate::problem::Problem;
use crate::system;
use client::{Client, Wanted};
use credentials::Credentials;
use document::{Content, DOCUMENT_TYPES, Descriptor};

/// Bytes of the largest manifest, as the distribution specification advises.
const DOCUMENT_BYTES_MAX: u64 = 4 << 20;

/// Manifests that lead to one another: an index, and what it names.
const DOCUMENTS_MAX: usize = 3;

/// Reads a component that somebody names on the command line: a file, or an image.
pub(crate) fn read(path: &Path, loader: &Loader, storage: &Storage) -> Result<Vec<u8>, Problem> {
    match named(path, storage)? {
        Some(component) => Ok(component),
        None => loader
            .read(path)
            .map_err(|error| Problem::component(path, &error)),
    }
}

/// The component, if what somebody names on the command line is an image.
pub(crate) fn named(path: &Path, storage: &Storage) -> Result<Option<Vec<u8>>, Problem> {
    let text = path.to_string_lossy();
    if !Image::is_meant(&text) {
        return Ok(None);
    }
    let image: Image = text
        .parse()
        .map_err(|error: NotAnImage| Problem::new(error.to_string(), NotAnImage::HINT))?;
    let images = Images {
        settings: manifest::Images::default(),
        shelf: system::shelf(storage),
        component_bytes_max: LoadLimits::default().component_bytes_max,
    };
    let pulled = images.pull(&image).map(Some);
    pulled.map_err(|error| Problem::new(format!("{image}: {error}"), error.hint()))
}

/// Brings components from registries.
pub(crate) struct Images {
    pub(crate) settings: manifest::Images,
    /// None: nothing is kept.
    pub(crate) shelf: Option<Shelf>,
    pub(crate) component_bytes_max: u64,
}

impl Images {
    /// The component that a reference stands for.
    ///
    /// # Errors
    /// See [`PullError`].
    pub(crate) fn pull(&self, image: &Image) -> Result<Vec<u8>, PullError> {
        let time = Duration::from_millis(self.settings.timeout_ms);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| PullError::System(error.to_string()))?;
        let pulled = runtime.block_on(async {
            let pull = Pull::new(self, image)?;
            let pulled = tokio::time::timeout(time, pull.run()).await;
            pulled.unwrap_or(Err(PullError::Timeout(self.settings.timeout_ms)))
        });
        // A name that is being looked up is not waited for.
        runtime.shutdown_background();
        pulled
    }
}

/// One image under way.
struct Pull<'a> {
    images: &'a Images,
    image: &'a Image,
    client: Client<'a>,
}

impl<'a> Pull<'a> {
    fn new(images: &'a Images, image: &'a Image) -> Result<Self, PullError> {
        let path = images.settings.credentials.clone().or_else(users_file);
        let credentials = match path {
            // That of the user need not be there; the one in the manifest has to.
            Some(path) => match Credentials::read(&path, &image.registry) {
                Err(_) if images.settings.credentials.is_none() => Credentials::default(),
                read => read?,
            },
            None => Credentials::default(),
        };
        Ok(Self {
            images,
            image,
            client: Client::new(&images.settings.plain_http, image, credentials),
        })
    }

    async fn run(&self) -> Result<Vec<u8>, PullError> {
        let (mut digest, mut document) = self.first().await?;
        let manifest = digest.clone();
        for _ in 0..DOCUMENTS_MAX {
            match document::read(&document)? {
                Content::Document(next) => {
                    document = self.blob("manifests", &next, DOCUMENT_BYTES_MAX).await?;
                    digest = next.digest;
                }
                Content::Component(layer) => {
                    let most = self.images.component_bytes_max;
                    let component = self.blob("blobs", &layer, most).await?;
                    let (image, manifest) = (self.image, format!("sha256:{manifest}"));
                    tracing::info!(%image, manifest, "image found");
                    return Ok(component);
                }
            }
        }
        Err(PullError::Document(format!(
            "sha256:{digest} is one index too many"
        )))
    }

    /// The manifest that the reference names, and its digest.
    async fn first(&self) -> Result<(String, Vec<u8>), PullError> {
        let shelf = self.images.shelf.as_ref();
        if let Some(digest) = &self.image.digest
            && let Some(document) = shelf.and_then(|it| it.get(digest, DOCUMENT_BYTES_MAX))
        {
            return Ok((digest.clone(), document));
        }
        let version = self.image.version();
        let fetched = self.client.get(Wanted {
            path: format!("/v2/{}/manifests/{version}", self.image.repository),
            accept: DOCUMENT_TYPES,
            bytes_max: DOCUMENT_BYTES_MAX,
        });
        let document = match fetched.await {
            Ok(document) => document,
            Err(error) if error.is_outage() => return self.last(error),
            Err(error) => return Err(error),
        };
        let digest = Digest::of(&document).to_string();
        if let Some(pinned) = self.image.digest.as_ref().filter(|it| **it != digest) {
            return Err(PullError::Digest {
                wanted: pinned.clone(),
                found: digest,
            });
        }
        if let Some(shelf) = shelf {
            shelf.put(&digest, &document);
            shelf.note(&self.image.to_string(), &digest);
        }
        Ok((digest, document))
    }

    /// What a tag stood for when it was last asked for.
    fn last(&self, error: PullError) -> Result<(String, Vec<u8>), PullError> {
        let last = || {
            let shelf = self.images.shelf.as_ref()?;
            let digest = shelf.noted(&self.image.to_string())?;
            let document = shelf.get(&digest, DOCUMENT_BYTES_MAX)?;
            Some((digest, document))
        };
        let found = last().ok_or(error)?;
        let image = self.image;
        tracing::warn!(%image, "the registry can't be reached; what the tag stood for is taken");
        Ok(found)
    }

    /// What has this digest.
    async fn blob(
        &self,
        kind: &str,
        wanted: &Descriptor,
        bytes_max: u64,
    ) -> Result<Vec<u8>, PullError> {
        if wanted.size > bytes_max {
            return Err(PullError::TooLarge {
                bytes: wanted.size,
                max: bytes_max,
            });
        }
        let shelf = self.images.shelf.as_ref();
        if let Some(kept) = shelf.and_then(|it| it.get(&wanted.digest, bytes_max)) {
            return Ok(kept);
        }
        let path = format!(
            "/v2/{}/{kind}/sha256:{}",
            self.image.repository, wanted.digest
        );
        let fetched = self.client.get(Wanted {
            path,
            accept: DOCUMENT_TYPES,
            bytes_max,
        });
        let fetched = fetched.await?;
        let found = Digest::of(&fetched).to_string();
        if found != wanted.digest {
            return Err(PullError::Digest {
                wanted: wanted.digest.clone(),
                found,
            });
        }
        if let Some(shelf) = shelf {
            shelf.put(&wanted.digest, &fetched);
        }
        Ok(fetched)
    }
}

/// Docker's file of this user.
fn users_file() -> Option<PathBuf> {
    let folder = |name| std::env::var_os(name).map(PathBuf::from);
    let docker = folder("DOCKER_CONFIG").or_else(|| Some(folder("HOME")?.join(".docker")));
    docker.map(|folder| folder.join("config.json"))
}
