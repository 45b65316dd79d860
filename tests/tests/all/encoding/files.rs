//! Files that are encoded while they are sent.

use holdfast_tests::decode::whole;
use holdfast_tests::host::Host;
use holdfast_tests::setup::Setup;

use super::{CODINGS, text};
use crate::files::{ask, tag};

async fn site() -> Host {
    Setup::manifest("[[route]]\npath = \"/\"\nfiles = \"public\"\nencode = true\n")
        .file("public/page.html", text())
        .file("public/long.txt", text().repeat(50))
        .file("public/there.css", text())
        .file("public/there.css.gz", "encoded before")
        .file("public/short.txt", "short")
        .file("public/picture.png", text())
        .start()
        .await
}

#[tokio::test]
async fn a_file_is_encoded_that_is_not_there_so() {
    let host = site().await;
    for coding in CODINGS {
        let fields = [("accept-encoding", coding)];
        for (path, expected) in [("/page.html", text()), ("/long.txt", text().repeat(50))] {
            let response = ask(&host, "GET", path, &fields).await;
            assert_eq!(response.header("content-encoding"), coding);
            assert!(response.header("etag").starts_with("W/"), "{response:?}");
            assert_eq!(response.header("accept-ranges"), "");
            assert_eq!(response.header("content-length"), "");
            assert!(whole(coding, &response.body) == expected.as_bytes());
            let head = ask(&host, "HEAD", path, &fields).await;
            for name in ["content-encoding", "content-length", "etag", "vary"] {
                assert_eq!(head.header(name), response.header(name), "{name}");
            }
        }
    }
    let gzip = [("accept-encoding", "gzip")];
    let response = ask(&host, "GET", "/there.css", &gzip).await;
    assert_eq!(response.text(), "encoded before");
    let response = ask(&host, "GET", "/there.css", &[("accept-encoding", "br")]).await;
    assert_eq!(response.header("content-encoding"), "br");
    for path in ["/short.txt", "/picture.png"] {
        let response = ask(&host, "GET", path, &gzip).await;
        assert_eq!(response.header("content-encoding"), "", "{path}");
    }
    let response = ask(&host, "GET", "/page.html", &[]).await;
    assert_eq!(response.text(), text());
    assert_eq!(response.header("vary"), "accept-encoding");
}

#[tokio::test]
async fn what_a_client_has_is_the_same_in_each_form() {
    let host = site().await;
    let gzip = ("accept-encoding", "gzip");
    let strong = tag(&host, "/page.html").await;
    let weak = format!("W/{strong}");
    let response = ask(&host, "GET", "/page.html", &[gzip]).await;
    assert_eq!(response.header("etag"), weak);
    for tag in [&strong, &weak] {
        let fields = [gzip, ("if-none-match", tag.as_str())];
        let response = ask(&host, "GET", "/page.html", &fields).await;
        assert_eq!(response.status, 304);
        assert_eq!(response.header("vary"), "accept-encoding");
    }
    // A part is one of the file itself.
    let fields = [gzip, ("range", "bytes=0-3"), ("if-range", &strong)];
    let response = ask(&host, "GET", "/page.html", &fields).await;
    assert_eq!(response.status, 206);
    assert_eq!(response.header("content-encoding"), "");
    assert_eq!(response.text(), &text()[..4]);
    let fields = [gzip, ("range", "bytes=0-3"), ("if-range", &weak)];
    let response = ask(&host, "GET", "/page.html", &fields).await;
    assert_eq!(response.status, 200);
    assert_eq!(response.header("content-encoding"), "gzip");
}
