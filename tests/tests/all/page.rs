//! The chat's page in a real browser, in two tabs.

use holdfast_tests::browser::{Browser, Tab};
use holdfast_tests::http::post;
use holdfast_tests::place;
use holdfast_tests::setup::Setup;

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
    chat("off").await;
}

#[tokio::test]
async fn two_tabs_chat_in_compressed_messages() {
    for compression in ["shared", "context"] {
        chat(compression).await;
    }
}

/// Whether the browser and the host have agreed on compression.
async fn compresses(tab: &mut Tab, expected: bool) {
    tab.evaluate("window.probe = new WebSocket(location.href.replace(/^http/, 'ws')), 0")
        .await;
    tab.holds("window.probe.readyState === WebSocket.OPEN")
        .await;
    let agreed = tab.evaluate("window.probe.extensions").await;
    let agreed = agreed.as_str().unwrap_or_default().to_owned();
    assert_eq!(agreed.contains("permessage-deflate"), expected, "{agreed}");
    tab.evaluate("window.probe.close(), 0").await;
}

async fn chat(compression: &str) {
    let setup = Setup::new("chat").plugin("compression", &format!("\"{compression}\""));
    let host = setup.limit("compress_bytes_min", 1).start().await;
    let browser = Browser::start().await;
    let page = format!("http://{}/rooms/lobby", host.address());
    let mut ada = browser.open(&page, 1000, 700).await;
    let mut grace = browser.open(&page, 390, 844).await;
    compresses(&mut ada, compression != "off").await;
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
