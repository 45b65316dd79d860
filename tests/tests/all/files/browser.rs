//! A page of files in a real browser.

use holdfast_tests::browser::Browser;

use super::site;

const PAGE: &str = "<!doctype html><title>page</title>\
    <link rel=\"icon\" href=\"data:,\"><link rel=\"stylesheet\" href=\"page.css\">\
    <script type=\"module\" src=\"page.js\"></script><p id=\"text\">before</p>\
    <img id=\"picture\" src=\"img/dot.svg\">";
const SCRIPT: &str = "import { word } from './lib/word.mjs';\
    document.querySelector('#text').textContent = word;";
const DOT: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"7\" height=\"5\"/>";

#[tokio::test]
async fn a_page_brings_its_style_and_its_scripts() {
    let host = site("fallback = \"index.html\"\nnot_found = \"404.html\"")
        .file("public/index.html", PAGE)
        .file("public/404.html", "nothing")
        .file("public/page.css", "#text { color: rgb(1, 2, 3) }")
        .file("public/page.js", SCRIPT)
        .file("public/lib/word.mjs", "export const word = 'after';")
        .file("public/img/dot.svg", DOT)
        .start()
        .await;
    let browser = Browser::start().await;
    let page = format!("http://{}/", host.address());
    let mut tab = browser.open(&page, 400, 300).await;
    tab.holds("document.querySelector('#text').textContent === 'after'")
        .await;
    tab.holds("getComputedStyle(document.querySelector('#text')).color === 'rgb(1, 2, 3)'")
        .await;
    tab.holds("document.querySelector('#picture').naturalWidth === 7")
        .await;
    // Any path is the page, but what a script asks for is not.
    let deep = browser.open(&format!("{page}deep"), 400, 300).await;
    let mut deep = deep;
    deep.holds("document.title === 'page'").await;
    deep.evaluate("fetch('/absent.js').then((it) => { window.status_ = it.status }), 0")
        .await;
    deep.holds("window.status_ === 404").await;
    assert!(tab.complaints().is_empty(), "{:?}", tab.complaints());
}
