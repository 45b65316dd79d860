//! Clients of other people, over plain connections, TLS and HTTP/2: a browser,
//! Python's `websockets`, Node's `ws`, curl.

use std::process::Command;

use holdfast_tests::browser::Browser;
use holdfast_tests::host::Host;
use holdfast_tests::place;
use holdfast_tests::process::run;
use holdfast_tests::setup::Setup;

/// What a program prints that ends well.
async fn printed(command: Command) -> String {
    let output = run(command).await;
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

async fn speaks(program: Command) {
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
        assert_eq!(printed(command).await, "good\n", "{url}");
    }
    host.stop().await;
}

#[tokio::test]
async fn pythons_websockets_speaks_with_a_plugin() {
    let mut python = Command::new(place::client("python/bin/python"));
    python.arg(place::scripts().join("client.py"));
    speaks(python).await;
}

#[tokio::test]
async fn nodes_ws_speaks_with_a_plugin() {
    let mut node = Command::new("node");
    node.arg(place::scripts().join("client.cjs"));
    node.env("NODE_PATH", place::client("node/node_modules"));
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
        assert_eq!(printed(curl).await, expected, "{version} {scheme}");
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
