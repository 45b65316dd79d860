//! The chat's page in a real browser, in two tabs.

use holdfast_tests::browser::{Browser, Tab};
use holdfast_tests::http::post;
use holdfast_tests::place;
use holdfast_tests::setup::Setup;

use crate::languages::Language;

/// The page's elements.
const NICK: &str = "#nick";
const TEXT: &str = "#text";

async fn join(tab: &mut Tab, nick: &str) {
    tab.type_into(NICK, nick).await;
    tab.press_enter().await;
    tab.holds("document.querySelector('#status').dataset.state === 'open'")
        .await;
}

async fn say(tab: &mut Tab, text: &str) {
    tab.type_into(TEXT, text).await;
    tab.press_enter().await;
}

async fn sees(tab: &mut Tab, text: &str) {
    let quoted = serde_json::json!(text);
    tab.holds(&format!(
        "document.querySelector('#log').innerText.includes({quoted})"
    ))
    .await;
}

#[tokio::test]
async fn two_tabs_chat() {
    chat(own_page("off"), "/rooms/lobby", false).await;
}

#[tokio::test]
async fn two_tabs_chat_in_compressed_messages() {
    for compression in ["shared", "context"] {
        chat(own_page(compression), "/rooms/lobby", true).await;
    }
}

/// The plugin that brings its own page.
fn own_page(compression: &str) -> Setup {
    let setup = Setup::new("chat").plugin("compression", &format!("\"{compression}\""));
    setup.limit("compress_bytes_min", 1)
}

in_every_language!(two_tabs_chat_on_a_page_that_is_a_file);

async fn two_tabs_chat_on_a_page_that_is_a_file(language: &Language) {
    let component = language.component("chat").await;
    let page = place::top().join("plugins/chat/page");
    let manifest = format!(
        "[[plugin]]\nname = \"chat\"\ncomponent = \"{}\"\n\
         [[route]]\npath = \"/rooms\"\nplugin = \"chat\"\n\
         [[route]]\npath = \"/\"\nfiles = \"{}\"\nfallback = \"page.html\"\n",
        component.display(),
        page.display()
    );
    chat(Setup::manifest(&manifest), "/?room=lobby", false).await;
}

/// Whether the browser and the host have agreed on compression.
async fn compresses(tab: &mut Tab, expected: bool) {
    let room = "new URL('/rooms/lobby', location.href).href.replace(/^http/, 'ws')";
    tab.evaluate(&format!("window.probe = new WebSocket({room}), 0"))
        .await;
    tab.holds("window.probe.readyState === WebSocket.OPEN")
        .await;
    let agreed = tab.evaluate("window.probe.extensions").await;
    let agreed = agreed.as_str().unwrap_or_default().to_owned();
    assert_eq!(agreed.contains("permessage-deflate"), expected, "{agreed}");
    tab.evaluate("window.probe.close(), 0").await;
}

async fn chat(setup: Setup, page: &str, is_compressed: bool) {
    let host = setup.start().await;
    let browser = Browser::start().await;
    let page = format!("http://{}{page}", host.address());
    let mut ada = browser.open(&page, 1000, 700).await;
    let mut grace = browser.open(&page, 390, 844).await;
    compresses(&mut ada, is_compressed).await;
    join(&mut ada, "Ada").await;
    join(&mut grace, "Grace").await;
    sees(&mut ada, "Grace").await;

    say(&mut ada, "Hello, Grace!").await;
    sees(&mut ada, "Hello, Grace!").await;
    sees(&mut grace, "Hello, Grace!").await;
    // What others say is text, whatever it looks like.
    let markup = "<img src=x onerror=\"document.title='owned'\"> & so on";
    say(&mut grace, markup).await;
    sees(&mut ada, markup).await;
    let title = ada.evaluate("document.title").await;
    assert_ne!(title, "owned");

    let response = post(&host, "/rooms/lobby/messages", "news from a shell").await;
    assert_eq!(response.status, 201);
    sees(&mut ada, "news from a shell").await;
    sees(&mut grace, "news from a shell").await;
    ada.holds("document.querySelector('#people-count').innerText === '2'")
        .await;

    let folder = place::screenshots();
    ada.screenshot(&folder.join("chat-wide.png")).await;
    grace.screenshot(&folder.join("chat-phone.png")).await;
    for tab in [&ada, &grace] {
        assert!(tab.complaints().is_empty(), "{:?}", tab.complaints());
    }
}
