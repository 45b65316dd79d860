//! Other people's decoders: those of curl, and of a browser.

use std::process::Command;

use holdfast_tests::browser::Browser;
use holdfast_tests::process::output;
use holdfast_tests::setup::Setup;

use super::{CODINGS, text};

fn site() -> Setup {
    let script = format!("// {}\nwindow.answer = 42;", text().replace('\n', " "));
    let page = "<!doctype html><title>page</title><link rel=\"icon\" href=\"data:,\">\
        <script src=\"script.js\"></script>";
    Setup::manifest("[[route]]\npath = \"/\"\nfiles = \"public\"\nencode = true\n")
        .file("public/index.html", page)
        .file("public/script.js", script)
        .file("public/text.txt", text())
}

#[tokio::test]
async fn curl_reads_what_it_takes() {
    let host = site().start().await;
    for coding in CODINGS {
        let url = format!("http://{}/text.txt", host.address());
        let accepted = format!("accept-encoding: {coding}");
        let mut curl = Command::new("curl");
        curl.args(["-sS", "--compressed", "--dump-header", "-", "-H"]);
        curl.args([accepted, url]);
        let output = output(curl).await;
        let answer = String::from_utf8(output.stdout).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(
            head.contains(&format!("content-encoding: {coding}")),
            "{head}"
        );
        assert!(body == text());
    }
}

#[tokio::test]
async fn a_browser_reads_what_it_takes() {
    let host = site().start().await;
    let browser = Browser::start().await;
    let page = format!("http://{}/", host.address());
    let mut tab = browser.open(&page, 400, 300).await;
    tab.holds("window.answer === 42").await;
    tab.holds(
        "(() => { const it = performance.getEntriesByName(new URL('script.js', \
         location.href).href)[0]; return it && it.encodedBodySize * 2 < it.decodedBodySize })()",
    )
    .await;
    assert!(tab.complaints().is_empty(), "{:?}", tab.complaints());
}
