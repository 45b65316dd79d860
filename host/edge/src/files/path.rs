//! From the path of a request to that of a file. Pure: whether the file is there,
//! and whether links lead out of the folder, is for who opens it.

use std::path::PathBuf;

/// The one name with a dot in front that is public by agreement (RFC 8615).
const WELL_KNOWN: &[u8] = b".well-known";

/// A file, relative to its folder.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Empty for the folder itself.
    pub(super) path: PathBuf,
    /// Whether the request's path ends with a slash.
    pub(super) is_folder: bool,
}

/// Why a path is that of no file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoFile {
    /// It is not encoded as it should be, or hides a slash or a NUL.
    Malformed,
    /// Nothing that is served has such a name.
    NotThere,
}

/// The file for a path as it was sent, of which the first `depth` segments are
/// the route's.
///
/// # Errors
/// Every way out of the folder is one, also such as are hidden by encoding; and
/// so are files whose names begin with a dot, which are nobody's business.
pub(super) fn wanted(path: &str, depth: usize) -> Result<Wanted, NoFile> {
    let rest = path.strip_prefix('/').unwrap_or(path);
    let mut segments = rest.split('/').skip(depth).peekable();
    let mut wanted = Wanted {
        path: PathBuf::new(),
        is_folder: false,
    };
    while let Some(segment) = segments.next() {
        if segment.is_empty() && segments.peek().is_none() {
            wanted.is_folder = true;
            break;
        }
        wanted.path.push(name(segment)?);
    }
    Ok(wanted)
}

/// One name of a path, decoded once.
fn name(segment: &str) -> Result<String, NoFile> {
    let name = decoded(segment).ok_or(NoFile::Malformed)?;
    if name.iter().any(|byte| matches!(byte, 0 | b'/')) {
        return Err(NoFile::Malformed);
    }
    // To some systems and browsers a backslash is a slash.
    let is_odd = name
        .iter()
        .any(|&byte| byte.is_ascii_control() || byte == b'\\');
    let is_hidden = name.starts_with(b".") && name != WELL_KNOWN;
    if name.is_empty() || is_odd || is_hidden {
        return Err(NoFile::NotThere);
    }
    String::from_utf8(name).map_err(|_| NoFile::NotThere)
}

/// The bytes of a text in which some are written as `%41`.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => hex(bytes.next()?)? << 4 | hex(bytes.next()?)?,
            byte => byte,
        });
    }
    Some(decoded)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn a_path_is_that_of_a_file() {
        for (path, depth, expected, is_folder) in [
            ("/", 0, "", true),
            ("/a.css", 0, "a.css", false),
            ("/a/b/", 0, "a/b", true),
            ("/static", 1, "", false),
            ("/static/", 1, "", true),
            ("/static/a%20b", 1, "a b", false),
            ("/static/%C3%BC.html", 1, "ü.html", false),
            ("/x/y/a+b", 2, "a+b", false),
            ("/a%2ehtml", 0, "a.html", false),
            ("/%2541", 0, "%41", false),
            ("/a...b", 0, "a...b", false),
            (
                "/.well-known/security.txt",
                0,
                ".well-known/security.txt",
                false,
            ),
        ] {
            let wanted = wanted(path, depth).unwrap();
            assert_eq!(wanted.path, Path::new(expected), "{path}");
            assert_eq!(wanted.is_folder, is_folder, "{path}");
        }
    }

    #[test]
    fn no_path_leads_out_of_the_folder() {
        use NoFile::{Malformed, NotThere};
        for (path, expected) in [
            ("/..", NotThere),
            ("/../a", NotThere),
            ("/a/../b", NotThere),
            ("/a/..", NotThere),
            ("/.", NotThere),
            ("/./a", NotThere),
            ("/%2e%2e/a", NotThere),
            ("/.%2e/a", NotThere),
            ("/%2E%2E%2Fa", Malformed),
            ("/..%2fa", Malformed),
            ("/a%2fb", Malformed),
            ("/a%00", Malformed),
            ("/a%00.html", Malformed),
            ("/%", Malformed),
            ("/a%4", Malformed),
            ("/a%zz", Malformed),
            ("/a%+1", Malformed),
            ("/..%5ca", NotThere),
            ("/a\\b", NotThere),
            ("/a%0ab", NotThere),
            ("/a%7f", NotThere),
            ("/%ff", NotThere),
            ("/%c0%ae%c0%ae/a", NotThere),
            ("/.git/config", NotThere),
            ("/.env", NotThere),
            ("/a/.htpasswd", NotThere),
            ("/.well-known2", NotThere),
            ("//a", NotThere),
            ("/a//b", NotThere),
            ("//", NotThere),
        ] {
            assert_eq!(wanted(path, 0), Err(expected), "{path}");
        }
    }
}
