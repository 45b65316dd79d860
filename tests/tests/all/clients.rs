//! Clients of other people, over plain connections, TLS and HTTP/2: a browser,
//! Python's `websockets`, Node's `ws`, curl.

use std::process::Command;

use holdfast_tests::browser::Browser;
use holdfast_tests::host::Host;
use holdfast_tests::place;
use holdfast_tests::setup::Setup;
use holdfast_tests::wait::patiently;

/// Runs a program to its end, which has to be a good one; returns what it prints.
async fn run(mut command: Command) -> String {
    let shown = format!("{command:?}");
    let run = tokio::task::spawn_blocking(move || command.output());
    let output = patiently(&shown, run).await.unwrap().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{shown}: {errors}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Where the plugin answers with TLS and without.
fn urls(host: &Host) -> [String; 2] {
    let port = host.secure_address().port();
    [
        format!("ws://{}/", host.address()),
        format!("wss://localhost:{port}/"),
    ]
}

async fn speaks(program: Option<Command>) {
    let Some(program) = program else {
        return;
    };
    let host = Setup::new("echo").tls("").start().await;
    for url in urls(&host) {
        let mut command = Command::new(program.get_program());
        command.args(program.get_args());
        command
            .arg(&url)
            .arg(place::certificates().join("authority.pem"));
        for (name, value) in program.get_envs() {
            command.env(name, value.unwrap_or_default());
        }
        assert_eq!(run(command).await, "good\n", "{url}");
    }
    host.stop().await;
}

#[tokio::test]
async fn pythons_websockets_speaks_with_a_plugin() {
    let python = place::tool("python/bin/python").map(|python| {
        let mut command = Command::new(python);
        command.arg(place::clients().join("client.py"));
        command
    });
    speaks(python).await;
}

#[tokio::test]
async fn nodes_ws_speaks_with_a_plugin() {
    let node = place::tool("node/node_modules").map(|modules| {
        let mut command = Command::new("node");
        command.arg(place::clients().join("client.cjs"));
        command.env("NODE_PATH", modules);
        command
    });
    speaks(node).await;
}

#[tokio::test]
async fn curl_speaks_every_version_of_http() {
    let host = Setup::new("plain").tls("").start().await;
    let (plain, secure) = (host.address().port(), host.secure_address().port());
    for (version, scheme, port, spoken) in [
        ("--http1.0", "http", plain, "1"),
        ("--http1.1", "http", plain, "1.1"),
        ("--http2-prior-knowledge", "http", plain, "2"),
        ("--http1.1", "https", secure, "1.1"),
        ("--http2", "https", secure, "2"),
    ] {
        let mut curl = Command::new("curl");
        curl.args([
            "--silent",
            "--show-error",
            "--fail",
            version,
            "--data",
            "good",
        ]);
        curl.args(["--write-out", " %{http_version}", "--cacert"]);
        curl.arg(place::certificates().join("authority.pem"));
        curl.arg(format!("{scheme}://localhost:{port}/echo"));
        // Without a proxy that the environment may name.
        curl.args(["--noproxy", "*"]);
        let expected = format!("good {spoken}");
        assert_eq!(run(curl).await, expected, "{version} {scheme}");
    }
    host.stop().await;
}

#[tokio::test]
async fn a_browser_opens_a_websocket_in_its_http2_connection() {
    let host = Setup::new("plain").tls("").start().await;
    let secure = format!("https://localhost:{}/hello", host.secure_address().port());
    let plain = format!("http://{}/hello", host.address());
    let browser = Browser::start().await;
    for (page, version, status) in [(&plain, "http/1.1", 101), (&secure, "h2", 200)] {
        let mut tab = browser.open(page, 800, 600).await;
        tab.holds("document.body.innerText === 'hello'").await;
        let entry = "performance.getEntriesByType('navigation')[0].nextHopProtocol";
        assert_eq!(tab.evaluate(entry).await, version);
        tab.call("Network.enable", serde_json::json!({})).await;
        let script = "new Promise((resolve, reject) => {
            const socket = new WebSocket(location.origin.replace('http', 'ws') + '/');
            socket.onopen = () => socket.send('echo ' + 'x'.repeat(100000));
            socket.onerror = () => reject(new Error('no WebSocket'));
            socket.onmessage = (message) => { resolve(message.data.length); socket.close(); };
        })";
        assert_eq!(tab.evaluate(script).await, 100_000);
        assert_eq!(tab.handshakes(), [status], "{page}");
    }
    host.stop().await;
}
