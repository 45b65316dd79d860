//! What is there is sent, and what it is.

use holdfast_tests::http::{connect, full, get, request, send, send_http2, streamed};
use holdfast_tests::http2::{Client, text};
use holdfast_tests::setup::Setup;
use holdfast_tests::socket::Socket;
use holdfast_tests::wait::found;
use http::Request;
use http_body_util::BodyExt;

use super::{ask, site, tag};

const HTML: &str = "text/html; charset=utf-8";

#[tokio::test]
async fn a_folder_is_served_over_either_version() {
    let host = site("cache_control = \"public, max-age=60\"")
        .file("public/index.html", "<h1>home</h1>")
        .file("public/sub/index.html", "sub")
        .file("public/sub/data.json", "{}")
        .file("public/none/a.txt", "a")
        .file("public/a b/ü.css", "b{}")
        .file("public/empty.js", "")
        .start()
        .await;
    // The last of them that was written: from here on no tag changes its kind.
    tag(&host, "/empty.js").await;
    let (mut second, _connection) = Client::over(connect(&host).await).await;
    for (path, status, media, body) in [
        ("/", 200, HTML, "<h1>home</h1>"),
        ("/?query=1", 200, HTML, "<h1>home</h1>"),
        ("/index.html", 200, HTML, "<h1>home</h1>"),
        ("/sub/", 200, HTML, "sub"),
        ("/sub/data.json", 200, "application/json", "{}"),
        ("/none/a.txt", 200, "text/plain; charset=utf-8", "a"),
        ("/a%20b/%c3%bc.css", 200, "text/css; charset=utf-8", "b{}"),
        ("/empty.js", 200, "text/javascript; charset=utf-8", ""),
        ("/none/", 404, "", ""),
        ("/none", 404, "", ""),
        ("/index.html/", 404, "", ""),
        ("/index.html/x", 404, "", ""),
        ("/absent", 404, "", ""),
    ] {
        let response = get(&host, path).await;
        assert_eq!(response.status, status, "{path}");
        let uri = format!("http://test.example{path}");
        let (second_status, second_body) = second.get(&uri).await.unwrap();
        assert_eq!(second_status, status, "{path}");
        assert_eq!(second_body, response.text(), "{path}");
        if status != 200 {
            assert_eq!(response.header("cache-control"), "", "{path}");
            continue;
        }
        assert_eq!(response.header("content-type"), media, "{path}");
        assert_eq!(response.header("cache-control"), "public, max-age=60");
        assert_eq!(response.header("x-content-type-options"), "nosniff");
        assert_eq!(response.header("accept-ranges"), "bytes");
        assert_eq!(response.header("vary"), "accept-encoding");
        assert_eq!(response.text(), body, "{path}");
        assert_eq!(response.header("content-length"), body.len().to_string());
        let head = ask(&host, "HEAD", path, &[]).await;
        for name in ["content-type", "content-length", "etag", "last-modified"] {
            assert_eq!(head.header(name), response.header(name), "{path} {name}");
        }
        assert_eq!(head.text(), "");
        let head = Request::head(uri).body(()).unwrap();
        let (head, _) = second.send(head, true).await.unwrap();
        assert_eq!(head.headers()["content-length"], body.len().to_string());
        assert_eq!(text(head.into_body()).await.unwrap(), "");
    }
}

#[tokio::test]
async fn a_folder_is_left_by_a_slash_to_itself() {
    let host = Setup::manifest("[[route]]\npath = \"/static\"\nfiles = \"public\"\n")
        .file("public/index.html", "home")
        .file("public/sub/index.html", "sub")
        .start()
        .await;
    for (path, location) in [
        ("/static", "/static/"),
        ("/static/sub", "/static/sub/"),
        ("/static/sub?a=b&c", "/static/sub/?a=b&c"),
        ("/static/%73ub", "/static/%73ub/"),
    ] {
        let response = get(&host, path).await;
        assert_eq!(response.status, 301, "{path}");
        assert_eq!(response.header("location"), location);
    }
    assert_eq!(get(&host, "/static/").await.text(), "home");
    assert_eq!(get(&host, "/static/sub/").await.text(), "sub");
    for path in ["/", "/sub/", "/statics/", "//static/", "/static//sub"] {
        assert_eq!(get(&host, path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn files_are_only_read() {
    let host = site("").file("public/a.txt", "a").start().await;
    for method in ["POST", "PUT", "DELETE", "PATCH", "TRACE", "PROPFIND"] {
        let response = ask(&host, method, "/a.txt", &[]).await;
        assert_eq!(response.status, 405, "{method}");
        assert_eq!(response.header("allow"), "GET, HEAD, OPTIONS");
    }
    let response = ask(&host, "OPTIONS", "/a.txt", &[]).await;
    assert_eq!(response.status, 204);
    assert_eq!(response.header("allow"), "GET, HEAD, OPTIONS");
    // Nobody waits for the end of a body that is of no use.
    let (sender, body) = streamed();
    sender.send("x".into()).await.unwrap();
    let response = send(&host, request("POST", "/a.txt", body)).await.unwrap();
    assert_eq!(response.status(), 405);
    assert_eq!(response.headers()["connection"], "close");
    drop(sender);
    let response = send_http2(&host, request("PUT", "http://a/a.txt", full("x")));
    assert_eq!(response.await.unwrap().status(), 405);
}

#[tokio::test]
async fn something_else_stands_for_what_is_not_there() {
    let host = site("not_found = \"404.html\"\nfallback = \"app/index.html\"")
        .file("public/404.html", "nothing")
        .file("public/app/index.html", "app")
        .start()
        .await;
    let page = [("accept", "text/html,*/*;q=0.8")];
    let response = ask(&host, "GET", "/any/where", &page).await;
    assert_eq!((response.status.as_u16(), response.text()), (200, "app"));
    assert!(response.headers.contains_key("etag"));
    for (method, path, body) in [
        ("GET", "/any/where.js", "nothing"),
        ("HEAD", "/any/where.js", ""),
        ("GET", "/.git/config", "nothing"),
        ("GET", "/%ff", "nothing"),
    ] {
        let fields = [("range", "bytes=0-1"), ("if-none-match", "*")];
        let response = ask(&host, method, path, &fields).await;
        assert_eq!(response.status, 404, "{path}");
        assert_eq!(response.text(), body, "{path}");
        assert_eq!(response.header("content-type"), HTML);
        assert_eq!(response.header("content-length"), "7");
        assert!(!response.headers.contains_key("etag"));
    }
    std::fs::remove_file(host.folder().join("public/404.html")).unwrap();
    let response = get(&host, "/absent").await;
    assert_eq!(response.status, 404);
    assert_eq!(response.text(), "There is nothing here.\n");
}

#[tokio::test]
async fn what_changes_is_served_at_once() {
    let host = site("").file("public/a.txt", "one").start().await;
    let public = host.folder().join("public");
    let first = get(&host, "/a.txt").await;
    for (text, expected) in [("two", "two"), ("longer", "longer"), ("", "")] {
        std::fs::write(public.join("a.txt"), text).unwrap();
        let response = get(&host, "/a.txt").await;
        assert_eq!(response.text(), expected);
    }
    std::fs::write(public.join("new"), "three").unwrap();
    std::fs::rename(public.join("new"), public.join("a.txt")).unwrap();
    let response = get(&host, "/a.txt").await;
    assert_eq!(response.text(), "three");
    assert_ne!(response.header("etag"), first.header("etag"));
    std::fs::remove_file(public.join("a.txt")).unwrap();
    assert_eq!(get(&host, "/a.txt").await.status, 404);
    // The folder may go, and come back as another one.
    std::fs::rename(&public, host.folder().join("old")).unwrap();
    assert_eq!(get(&host, "/a.txt").await.status, 404);
    host.logged(&["files can't be served", "public"]).await;
    std::fs::create_dir(&public).unwrap();
    std::fs::write(public.join("a.txt"), "four").unwrap();
    assert_eq!(get(&host, "/a.txt").await.text(), "four");
}

#[tokio::test]
async fn a_route_to_files_comes_and_goes_with_the_manifest() {
    let host = site("").file("public/a.txt", "a").start().await;
    std::fs::create_dir(host.folder().join("other")).unwrap();
    std::fs::write(host.folder().join("other/a.txt"), "other").unwrap();
    let manifest = host.folder().join("holdfast.toml");
    let text = std::fs::read_to_string(&manifest).unwrap();
    std::fs::write(&manifest, text.replace("\"public\"", "\"other\"")).unwrap();
    found("the other folder", async || {
        (get(&host, "/a.txt").await.text() == "other").then_some(())
    })
    .await;
}

#[tokio::test]
async fn plugins_and_files_live_beside_each_other() {
    let host = Setup::manifest(
        "[[plugin]]\nname = \"plain\"\ncomponent = \"{plain.wasm}\"\n\
         [[route]]\npath = \"/\"\nplugin = \"plain\"\n\
         [[route]]\npath = \"/\"\nfiles = \"public\"\n\
         [[route]]\npath = \"/hello\"\nplugin = \"plain\"\n",
    )
    .file("public/index.html", "home")
    .start()
    .await;
    assert_eq!(get(&host, "/").await.text(), "home");
    assert_eq!(get(&host, "/hello").await.status, 200);
    assert_eq!(get(&host, "/scheme").await.status, 404);
    // A WebSocket is none for a folder.
    let mut socket = Socket::open(&host, "/").await;
    assert_eq!(socket.ask("echo hi").await, "hi");
    let upgrade = [("connection", "upgrade"), ("upgrade", "h2c")];
    let response = ask(&host, "GET", "/", &upgrade).await;
    assert_eq!((response.status.as_u16(), response.text()), (200, "home"));
    let body = send(&host, request("GET", "/", full("a body of no use")));
    let body = body.await.unwrap().into_body().collect().await.unwrap();
    assert_eq!(body.to_bytes(), "home");
}
