//! Whatever is sent to the admin listener, its answers are as its OpenAPI document
//! says, and none is a 5xx: schemathesis makes requests of the document, good ones
//! and bad ones, and checks what comes of them.

use std::process::Command;
use std::time::Duration;

use holdfast_tests::admin::Admin;
use holdfast_tests::folder::Folder;
use holdfast_tests::place;
use holdfast_tests::process::output;
use holdfast_tests::schema::FILE;
use holdfast_tests::setup::Setup;
use holdfast_tests::socket::Socket;

/// Requests made of each operation, for each of the ways to make them.
const EXAMPLES_MAX: &str = "20";

/// A loaded machine is no failure.
const TIMEOUT: Duration = Duration::from_secs(600);

/// One with sockets that stay open, and one that is drained.
const PLUGINS: &str = "
[[plugin]]
name = \"fixture\"
component = \"{plain.wasm}\"
[[plugin]]
name = \"drained\"
component = \"{plain.wasm}\"
[[route]]
path = \"/\"
plugin = \"fixture\"
";

/// What it is told besides the document.
const CONFIGURATION: &str = include_str!("../../schemathesis.toml");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_sent_the_answers_are_as_promised() {
    let program = place::target().join("tools/schemathesis/bin/schemathesis");
    if !program.exists() {
        let is_ci = std::env::var_os("CI").is_some();
        assert!(!is_ci, "{} is missing", program.display());
        eprintln!("SKIPPED: no schemathesis; `cargo xtask test` installs it where it can");
        return;
    }
    let data = Folder::new();
    let host = Setup::manifest(PLUGINS).data(data.path()).start().await;
    let admin = Admin::of(data.path());
    let (talked_to, closed) = (listener(&host).await, listener(&host).await);
    let configuration = format!(
        "{CONFIGURATION}
[parameters]
\"path.tenant\" = \"default\"
\"path.plugin\" = \"fixture\"
\"query.follow\" = \"false\"
[[operations]]
include-path-regex = \".*/(connections/[^/]*|send)$\"
parameters = {{ \"path.connection\" = \"{talked_to}\" }}
[[operations]]
include-path-regex = \".*/drain$\"
parameters = {{ \"path.plugin\" = \"drained\" }}
[[operations]]
include-path-regex = \".*/close$\"
parameters = {{ \"path.connection\" = \"{closed}\" }}
"
    );
    let configuration = data.write("schemathesis.toml", configuration);
    let mut run = Command::new(program);
    run.current_dir(data.path())
        .arg("--config-file")
        .arg(configuration);
    run.args([
        "run",
        FILE,
        "--url",
        &admin.url(),
        "--header",
        &admin.header(),
    ]);
    run.args(["--checks", "all", "--phases", "coverage,fuzzing,stateful"]);
    run.args(["--max-examples", EXAMPLES_MAX, "--seed", "1", "--no-color"]);
    let output = tokio::time::timeout(TIMEOUT, output(run)).await;
    let output = output.expect("it ends");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", short(&text));
    // How many, for whoever wants to see it.
    let (_, summary) = text.split_once(" SUMMARY ").unwrap_or_default();
    println!("{summary}");
    assert_eq!(admin.ask("GET", "/v1/health", "").await.status, 200);
    host.stop().await;
}

/// Opens a socket that reads all that comes, and returns its id.
async fn listener(host: &holdfast_tests::host::Host) -> String {
    let mut socket = Socket::open(host, "/").await;
    let id = socket.ask("id").await;
    tokio::spawn(async move { while let Some(Ok(_)) = socket.next().await {} });
    id
}

/// Without the ends of very long lines.
fn short(text: &str) -> String {
    let lines = text.lines().map(|line| line.chars().take(600).collect());
    lines.collect::<Vec<String>>().join("\n")
}
