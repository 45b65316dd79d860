//! Files that are there in an encoded form.

use std::fs::File;
use std::time::{Duration, SystemTime};

use holdfast_tests::host::Host;

use super::{ask, site, tag};

/// Nobody looks into them.
async fn host() -> Host {
    let host = site("fallback = \"app.js\"")
        .file("public/app.js", "whole")
        .file("public/app.js.br", "brotli")
        .file("public/app.js.gz", "gz")
        .file("public/app.js.zst", "zstandard")
        .file("public/old.css", "new")
        .file("public/old.css.gz", "stale")
        .file("public/dir.css", "plain")
        .file("public/dir.css.br/index.html", "no")
        .file("public/index.html", "index")
        .file("public/index.html.gz", "gzipped")
        .start()
        .await;
    let stale = File::open(host.folder().join("public/old.css.gz")).unwrap();
    stale
        .set_modified(SystemTime::now() - Duration::from_secs(60))
        .unwrap();
    host
}

#[tokio::test]
async fn the_form_is_sent_that_the_client_would_have() {
    let host = host().await;
    let js = "text/javascript; charset=utf-8";
    for (path, accepted, body, coding) in [
        ("/app.js", "gzip, deflate, br, zstd", "brotli", "br"),
        ("/app.js", "gzip, deflate, zstd", "zstandard", "zstd"),
        ("/app.js", "gzip", "gz", "gzip"),
        ("/app.js", "gzip;q=1, br;q=0.9", "gz", "gzip"),
        ("/app.js", "*", "brotli", "br"),
        ("/app.js", "br;q=0, *;q=0.1", "zstandard", "zstd"),
        ("/app.js", "identity, *;q=0", "whole", ""),
        ("/app.js", "deflate", "whole", ""),
        ("/app.js", "", "whole", ""),
        ("/old.css", "gzip", "new", ""),
        ("/dir.css", "br, gzip", "plain", ""),
        ("/", "gzip", "gzipped", "gzip"),
        ("/", "br", "index", ""),
    ] {
        let response = ask(&host, "GET", path, &[("accept-encoding", accepted)]).await;
        assert_eq!(response.text(), body, "{path} {accepted}");
        assert_eq!(
            response.header("content-encoding"),
            coding,
            "{path} {accepted}"
        );
        assert_eq!(response.header("vary"), "accept-encoding");
        if path == "/app.js" {
            assert_eq!(response.header("content-type"), js);
        }
    }
    // By their own names they are files like others.
    let response = ask(&host, "GET", "/app.js.gz", &[]).await;
    assert_eq!(response.text(), "gz");
    assert_eq!(response.header("content-type"), "application/gzip");
    assert_eq!(response.header("content-encoding"), "");
    // What stands for others has its forms, too.
    let fields = [("accept", "text/html"), ("accept-encoding", "br")];
    let response = ask(&host, "GET", "/any/where", &fields).await;
    assert_eq!(response.text(), "brotli");
}

#[tokio::test]
async fn each_form_has_its_own_tag_and_ranges() {
    let host = host().await;
    let plain = tag(&host, "/app.js").await;
    // Its forms were written after it.
    tag(&host, "/app.js.gz").await;
    let gzip = [("accept-encoding", "gzip")];
    let response = ask(&host, "GET", "/app.js", &gzip).await;
    let own = response.header("etag").to_owned();
    assert_ne!(own, plain);
    let fields = [("accept-encoding", "gzip"), ("if-none-match", own.as_str())];
    let response = ask(&host, "GET", "/app.js", &fields).await;
    assert_eq!(response.status, 304);
    let fields = [("if-none-match", own.as_str())];
    assert_eq!(ask(&host, "GET", "/app.js", &fields).await.status, 200);
    let fields = [
        ("accept-encoding", "gzip"),
        ("range", "bytes=1-"),
        ("if-range", own.as_str()),
    ];
    let response = ask(&host, "GET", "/app.js", &fields).await;
    assert_eq!(response.status, 206);
    assert_eq!(response.text(), "z");
    assert_eq!(response.header("content-range"), "bytes 1-1/2");
    assert_eq!(response.header("content-encoding"), "gzip");
    let fields = [("range", "bytes=1-"), ("if-range", own.as_str())];
    assert_eq!(ask(&host, "GET", "/app.js", &fields).await.status, 200);
}
