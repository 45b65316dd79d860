//! Reverse proxies in front of the host: the PROXY protocol, forwarded fields,
//! Unix sockets; and sockets that whoever has started the host has opened.

use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

use holdfast_tests::host::{self, Host};
use holdfast_tests::raw::Raw;
use holdfast_tests::setup::Setup;
use holdfast_tests::wait::{patiently, until};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

const FORM: &str = "plain";

const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// Trusts this machine, and tells guests who their clients are.
fn behind(keys: &str) -> Setup {
    let keys = format!("trusted = [\"127.0.0.0/8\"]\nclient_address_field = true\n{keys}");
    Setup::new(FORM).section("proxies", &keys)
}

/// Sends these bytes and a request with these fields; returns what the guest
/// says of it, or nothing if there is no answer.
async fn asked(host: &Host, first: &[u8], fields: &str) -> String {
    let mut raw = Raw::connect(host).await;
    let request = format!(
        "GET /headers HTTP/1.1\r\nhost: a\r\nconnection: close\r\n{}\r\n",
        fields.replace('\n', "\r\n")
    );
    raw.send(&[first, request.as_bytes()].concat()).await;
    String::from_utf8(raw.rest().await).unwrap()
}

fn address(answer: &str) -> &str {
    let line = answer.split("holdfast-client-address: ").nth(1);
    line.and_then(|rest| rest.lines().next())
        .unwrap_or("nobody")
}

#[tokio::test]
async fn a_proxy_introduces_its_clients() {
    let listen = "[{ address = \"127.0.0.1:0\", proxy_protocol = true }]";
    let host = behind("").host_only("listen", listen).start().await;
    let packet = |command: u8, rest: &[u8]| {
        let len = u16::try_from(rest.len()).unwrap().to_be_bytes();
        [SIGNATURE, &[command, 0x11], &len, rest].concat()
    };
    let ipv4 = [192, 0, 2, 9, 10, 0, 0, 1, 1, 0, 0, 80];
    let forged = "x-forwarded-for: 6.6.6.6\nholdfast-client-address: 6.6.6.6\n";
    for (first, expected) in [
        (
            &b"PROXY TCP4 192.0.2.7 10.0.0.1 1234 80\r\n"[..],
            "192.0.2.7:1234",
        ),
        (b"PROXY TCP6 2001:db8::1 ::1 1 80\r\n", "[2001:db8::1]:1"),
        (&packet(0x21, &ipv4), "192.0.2.9:256"),
    ] {
        let answer = asked(&host, first, forged).await;
        assert_eq!(address(&answer), expected, "{answer}");
        // It is no proxy itself.
        assert!(!answer.contains("6.6.6.6"), "{answer}");
    }
    // For itself, and for another proxy, which tells more.
    let answer = asked(&host, &packet(0x20, &[]), "").await;
    assert!(address(&answer).starts_with("127.0.0.1:"), "{answer}");
    let other = b"PROXY TCP4 127.0.0.9 10.0.0.1 1234 80\r\n";
    let answer = asked(&host, other, "x-forwarded-for: 192.0.2.8\n").await;
    assert_eq!(address(&answer), "192.0.2.8");
    for bad in [&b""[..], b"PROXY TCP4 nobody\r\n", &packet(0x21, &[1])] {
        assert_eq!(asked(&host, bad, "").await, "", "{bad:?}");
    }
}

#[tokio::test]
async fn nobody_else_introduces_anybody() {
    let setup = Setup::new(FORM).section("proxies", "trusted = [\"10.0.0.0/8\"]");
    let listen = "[{ address = \"127.0.0.1:0\", proxy_protocol = true }]";
    let host = setup.host_only("listen", listen).start().await;
    let line = b"PROXY TCP4 192.0.2.7 10.0.0.1 1234 80\r\n";
    assert_eq!(asked(&host, line, "").await, "");
    assert_eq!(asked(&host, b"", "").await, "");
}

#[tokio::test]
async fn a_proxy_has_its_time() {
    let listen = "[{ address = \"127.0.0.1:0\", proxy_protocol = true }]";
    let setup = behind("header_timeout_ms = 100").host_only("listen", listen);
    let host = setup.start().await;
    let mut raw = Raw::connect(&host).await;
    raw.send(b"PROXY TCP4 192.0").await;
    assert!(raw.rest().await.is_empty());
}

#[tokio::test]
async fn a_trusted_proxy_tells_of_its_clients() {
    let fields = "x-forwarded-for: 6.6.6.6, 192.0.2.7\nx-forwarded-proto: https\n\
        forwarded: for=192.0.2.8;proto=http\nx-real-ip: 6.6.6.6\n";
    for (keys, expected, kept) in [
        (
            "",
            "192.0.2.7",
            &["x-forwarded-for", "x-forwarded-proto"][..],
        ),
        ("fields = 'forwarded'", "192.0.2.8", &["forwarded"]),
        ("fields = 'none'", "127.0.0.1:", &[]),
    ] {
        let host = behind(keys).start().await;
        let answer = asked(&host, b"", fields).await;
        assert!(address(&answer).starts_with(expected), "{answer}");
        let lines = answer.lines().filter_map(|line| line.split_once(": "));
        let names = lines.map(|(name, _)| name);
        let mut told: Vec<_> = names
            .filter(|name| name.contains("forwarded") || name.contains("real"))
            .collect();
        told.sort_unstable();
        assert_eq!(told, kept, "{answer}");
    }
    let host = Setup::new(FORM).start().await;
    let answer = asked(&host, b"", fields).await;
    assert!(
        !answer.contains("orwarded") && !answer.contains("holdfast-"),
        "{answer}"
    );
}

#[tokio::test]
async fn the_clients_of_a_proxy_are_counted() {
    let setup = behind("").host("connections_per_address_max", 2);
    let host = setup.start().await;
    let ask = async |raw: &mut Raw, path: &str, client: &str| {
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             x-forwarded-for: {client}\r\n\r\n"
        );
        raw.send(request.as_bytes()).await;
        raw.head().await[9..12].to_owned()
    };
    let open = async |client: &str| {
        let mut raw = Raw::connect(&host).await;
        (ask(&mut raw, "/", client).await, raw)
    };
    // What is rejected is not counted, though the proxy keeps its connection.
    let mut kept = [Raw::connect(&host).await, Raw::connect(&host).await];
    for raw in &mut kept {
        let rejected = ask(raw, "/?reject=403", "192.0.2.1").await;
        assert_eq!(rejected, "403");
    }
    let (first, one) = open("192.0.2.1").await;
    let (second, _two) = open("192.0.2.1").await;
    let (third, _) = open("192.0.2.1").await;
    let (other, _three) = open("192.0.2.2").await;
    assert_eq!(
        [&*first, &second, &third, &other],
        ["101", "101", "503", "101"]
    );
    drop(one);
    holdfast_tests::wait::found("room", async || {
        (open("192.0.2.1").await.0 == "101").then_some(())
    })
    .await;
}

async fn ask_unix(path: &Path, fields: &str) -> String {
    let mut stream = patiently("a connection", UnixStream::connect(path))
        .await
        .unwrap();
    let request = format!("GET /headers HTTP/1.1\r\nhost: a\r\nconnection: close\r\n{fields}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    patiently("an answer", stream.read_to_string(&mut answer))
        .await
        .unwrap();
    answer
}

#[tokio::test]
async fn a_unix_socket_is_listened_on() {
    let setup = || {
        let listen =
            "[{ address = \"127.0.0.1:0\" }, { address = \"unix:a.sock\", mode = \"600\" }]";
        let keys = "trusted = [\"unix\"]\nclient_address_field = true";
        Setup::new(FORM)
            .section("proxies", keys)
            .host_only("listen", listen)
    };
    let mut host = setup().start().await;
    let path = host.folder().join("a.sock");
    host.logged(&["listening on unix:", "a.sock"]).await;
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(address(&ask_unix(&path, "").await), "unix");
    let answer = ask_unix(&path, "x-forwarded-for: 192.0.2.7\r\n").await;
    assert_eq!(address(&answer), "192.0.2.7");
    // A host that is killed leaves its file behind, and one that starts again
    // takes it over; but not from one that lives.
    let manifest = host.folder().join("holdfast.toml").display().to_string();
    let mut second = host::command();
    let output = second.args(["serve", &manifest]).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        error.contains("a.sock is in use by another process"),
        "{error}"
    );
    holdfast_tests::process::kill(host.pid());
    host.ended().await;
    assert!(path.exists());
    let again = Host::serve(Path::new(&manifest), &[]).await;
    assert_eq!(address(&ask_unix(&path, "").await), "unix");
    again.stop().await;
    until("the file to go", || !path.exists()).await;
}

#[tokio::test]
async fn a_socket_is_inherited_from_who_started_the_host() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let folder = holdfast_tests::folder::Folder::new();
    let guest = holdfast_tests::place::guest(FORM);
    let manifest = folder.write(
        "holdfast.toml",
        format!(
            "listen = [{{ address = \"systemd:web\" }}]\n[[plugin]]\nname = \"a\"\n\
             component = \"{}\"\n[[route]]\npath = \"/\"\nplugin = \"a\"\n",
            guest.display()
        ),
    );
    // A shell puts it where systemd would.
    let script = "exec 3<&0 0</dev/null; LISTEN_FDS=1 LISTEN_PID=$$ LISTEN_FDNAMES=web; \
        export LISTEN_FDS LISTEN_PID LISTEN_FDNAMES; exec \"$@\"";
    let start = |manifest: &Path| {
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", script, "sh"]);
        shell
            .arg(holdfast_tests::place::host())
            .arg("serve")
            .arg(manifest);
        shell.arg("--cache").arg(holdfast_tests::place::cache());
        let socket = OwnedFd::from(listener.try_clone().unwrap());
        shell.stdin(socket).stderr(Stdio::piped()).spawn().unwrap()
    };
    let mut child = start(&manifest);
    let stream = patiently("a connection", tokio::net::TcpStream::connect(address)).await;
    let mut raw = Raw::over(stream.unwrap());
    raw.send(b"GET /hello HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        .await;
    let answer = raw.rest().await;
    holdfast_tests::process::terminate(child.id());
    assert!(child.wait().unwrap().success());
    assert!(answer.ends_with(b"hello"), "{answer:?}");
    let text = std::fs::read_to_string(&manifest).unwrap();
    let other = folder.write("other.toml", text.replace("systemd:web", "systemd:other"));
    let output = start(&other).wait_with_output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    let expected = "no socket \"other\" has been opened";
    assert!(error.contains(expected) && error.contains("web"), "{error}");
}
