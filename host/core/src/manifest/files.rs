//! A route to files, which the host serves itself.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use http::HeaderValue;

use super::plugin::{Author, is_inside};
use super::raw::{Kind, RawRoute};
use super::resolve::Wrong;
use super::tenant::Tenant;
use crate::encoding::{Encode, RawEncode};
use crate::limits::{Limits, OnError, RawLimits, SlowConsumer};

/// A folder, and how what is in it is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// Whose it is.
    pub tenant: String,
    /// The folder. It need not be there yet.
    pub folder: PathBuf,
    /// What the folder can't be out of; none if the operator has named it.
    pub root: Option<PathBuf>,
    /// How many segments of a request's path are the route's.
    pub depth: usize,
    /// Which files are encoded that are not there in an encoded form; none for
    /// none.
    pub encode: Option<Arc<Encode>>,
    /// The field `cache-control` of what is there.
    pub cache_control: Option<HeaderValue>,
    /// A file in the folder that is sent with 404.
    pub not_found: Option<PathBuf>,
    /// A file in the folder that is sent in the place of what is not there to
    /// those who would rather have HTML.
    pub fallback: Option<PathBuf>,
    /// Time a client may take nothing of a response; 0 for no limit.
    pub response_idle_timeout_ms: u64,
}

impl Files {
    /// Checks an entry with `files`. `base` are the limits which the tenant's
    /// plugins have that set none.
    pub(super) fn resolve(
        raw: &RawRoute,
        folder: &str,
        tenant: &Tenant,
        base: &RawLimits,
        author: Author<'_>,
    ) -> Result<Self, Wrong> {
        let wrong = |what: String, hint: &str| {
            let message = format!("the route `{}`: {what}", raw.path);
            Err((message, hint.to_owned()))
        };
        if raw.kind == Some(Kind::Websocket) {
            return wrong(
                "`files` are not for WebSockets".into(),
                "leave out `kind`, or name a `plugin`",
            );
        }
        let (base_folder, root) = match author {
            Author::Operator(base) => (base, None),
            Author::Tenant(base) => (base, Some(base.to_owned())),
        };
        if root.is_some() && !is_inside(folder) {
            return wrong(
                format!("`files` is \"{folder}\""),
                "name a folder in the tenant's own folder, without `..`",
            );
        }
        let path = plain(&base_folder.join(folder));
        if plain(base_folder).starts_with(&path) {
            return wrong(
                format!("`files` is \"{folder}\", in which the manifest itself is"),
                "put what is to be served into a folder of its own, such as \"public\"",
            );
        }
        for (key, file) in [("not_found", &raw.not_found), ("fallback", &raw.fallback)] {
            if file.as_deref().is_some_and(|file| !is_inside(file)) {
                return wrong(
                    format!("`{key}` is no file in the folder"),
                    "name it relative to the folder, without `..`: \"404.html\"",
                );
            }
        }
        let Ok(cache_control) = raw.cache_control.as_deref().map(field).transpose() else {
            return wrong(
                "`cache_control` can't be a header field".into(),
                "write it as in \"public, max-age=3600\"",
            );
        };
        let encode = match raw.encode.as_ref().map(RawEncode::resolve).transpose() {
            Ok(encode) => encode.flatten().map(Arc::new),
            Err((message, hint)) => return wrong(message, hint),
        };
        let (slow_consumer, on_error) = (SlowConsumer::default(), OnError::default());
        let limits = match Limits::resolve(base, slow_consumer, on_error) {
            Ok(limits) => limits,
            Err(error) => return wrong(error.to_string(), "change it in `limits`"),
        };
        Ok(Self {
            tenant: tenant.name.clone(),
            folder: path,
            root,
            depth: raw.path.split('/').filter(|it| !it.is_empty()).count(),
            encode,
            cache_control,
            not_found: raw.not_found.as_ref().map(PathBuf::from),
            fallback: raw.fallback.as_ref().map(PathBuf::from),
            response_idle_timeout_ms: limits.http.response_idle_timeout_ms,
        })
    }

    /// The first key that is of no use without `files`.
    pub(super) fn key_without(raw: &RawRoute) -> Option<&'static str> {
        let keys = [
            ("encode", raw.encode.is_some()),
            ("cache_control", raw.cache_control.is_some()),
            ("not_found", raw.not_found.is_some()),
            ("fallback", raw.fallback.is_some()),
        ];
        let mut keys = keys.into_iter().filter(|&(_, is_there)| is_there);
        keys.next().map(|(key, _)| key)
    }
}

/// Visible ASCII and spaces.
fn field(text: &str) -> Result<HeaderValue, http::header::InvalidHeaderValue> {
    HeaderValue::from_str(text.trim())
}

/// A path without `.` and, as far as it says itself where it leads, without
/// `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if plain.file_name().is_some() => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::super::{Destination, parse, resolve};
    use super::*;

    fn files(keys: &str) -> Result<Files, String> {
        let plugin = "[[plugin]]\nname = 'a'\ncomponent = 'a.wasm'";
        let text = format!("{plugin}\n[[route]]\npath = '/a/b/'\n{keys}\n");
        let raw = parse("m.toml", &text).map_err(|error| error.to_string())?;
        let manifest = resolve("m.toml", Path::new("/app"), &raw);
        let manifest = manifest.map_err(|error| error.to_string())?;
        assert_eq!(manifest.routes[0].kind, Some(Kind::Http));
        match &manifest.routes[0].to {
            Destination::Files(files) => Ok(Files::clone(files)),
            Destination::Plugin(_) => panic!("a plugin"),
        }
    }

    #[test]
    fn a_folder_is_relative_to_the_manifest() {
        let files = files("files = './x/../public/'\ncache_control = 'no-cache'").unwrap();
        assert_eq!(files.folder, Path::new("/app/public"));
        assert_eq!(files.depth, 2);
        assert_eq!(files.tenant, "default");
        assert_eq!(files.cache_control.unwrap(), "no-cache");
        assert_eq!(files.response_idle_timeout_ms, 60_000);
    }

    #[test]
    fn what_can_not_be_served_is_refused() {
        for (keys, expected) in [
            ("files = '.'", "in which the manifest itself is"),
            ("files = ''", "in which the manifest itself is"),
            ("files = '..'", "in which the manifest itself is"),
            ("files = '/'", "in which the manifest itself is"),
            ("files = '/app/x/..'", "in which the manifest itself is"),
            ("files = 'x'\nplugin = 'a'", "`plugin` and `files`"),
            ("", "leads nowhere"),
            ("files = 'x'\nkind = 'websocket'", "not for WebSockets"),
            ("files = 'x'\nnot_found = '../x'", "`not_found` is no file"),
            ("files = 'x'\nfallback = '/x'", "`fallback` is no file"),
            (
                "files = 'x'\ncache_control = \"a\\u0000\"",
                "`cache_control`",
            ),
            ("plugin = 'a'\nfallback = 'x'", "`fallback`, but no `files`"),
        ] {
            let error = files(keys).unwrap_err();
            assert!(error.contains(expected), "{keys}: {error}");
        }
    }
}
