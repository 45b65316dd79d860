//! Headless Chromium, driven over its DevTools protocol.

mod tab;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::folder::Folder;
use crate::wait::until;

pub use tab::Tab;

/// Where Chromium says that it can be driven.
const READY: &str = "DevTools listening on ";

const FLAGS: [&str; 11] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    // Those of the tests are signed by nobody whom it knows.
    "--ignore-certificate-errors",
    "--remote-debugging-port=0",
    "about:blank",
];

/// A running browser. Killed when dropped.
#[derive(Debug)]
pub struct Browser {
    child: Child,
    url: String,
    _profile: Folder,
}

impl Browser {
    /// Starts one with a new profile.
    pub async fn start() -> Self {
        let profile = Folder::new();
        let mut child = Command::new("chromium")
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .args(FLAGS)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("chromium starts: `cargo xtask test` installs it");
        let stderr = child.stderr.take().expect("a pipe");
        let (sender, receiver) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            // Read to the end, so that the browser never waits for us.
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if let Some(url) = line.strip_prefix(READY) {
                    let _ = sender.send(url.trim().to_owned());
                }
            }
        });
        let mut url = None;
        until("the browser", || {
            url = receiver.recv_timeout(Duration::ZERO).ok();
            url.is_some()
        })
        .await;
        Self {
            child,
            url: url.unwrap_or_default(),
            _profile: profile,
        }
    }

    /// Opens a page in a tab that shares nothing with the others.
    pub async fn open(&self, page: &str, width: u32, height: u32) -> Tab {
        let mut tab = Tab::connect(&self.url).await;
        let context = tab.call("Target.createBrowserContext", json!({})).await;
        let target = tab
            .call(
                "Target.createTarget",
                json!({
                    "url": "about:blank",
                    "browserContextId": context["browserContextId"],
                }),
            )
            .await;
        let session = tab
            .call(
                "Target.attachToTarget",
                json!({"targetId": target["targetId"], "flatten": true}),
            )
            .await;
        tab.enter(&session["sessionId"]);
        let size: Value = json!({
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false,
        });
        tab.call("Emulation.setDeviceMetricsOverride", size).await;
        // Only one tab can have the window's focus; each is to behave as if.
        let focus = json!({"enabled": true});
        tab.call("Emulation.setFocusEmulationEnabled", focus).await;
        tab.call("Page.enable", json!({})).await;
        tab.call("Runtime.enable", json!({})).await;
        tab.call("Log.enable", json!({})).await;
        tab.call("Page.navigate", json!({"url": page})).await;
        tab
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
