//! Tenants beside each other: what each of them says, has and sees is its own.

use std::os::unix::fs::symlink;

use holdfast_tests::build::{Build, put};
use holdfast_tests::host::Host;
use holdfast_tests::http::{Response, full, request, whole};
use holdfast_tests::setup::Setup;
use holdfast_tests::socket::{Socket, handshake};
use holdfast_tests::wait::found;
use holdfast_tests::{place, process};

/// What the operator says.
const OPERATOR: &str =
    "[tenant-defaults]\nhosts = [\"{tenant}.example\", \"*.{tenant}.example\"]\n";
/// What each tenant says of itself.
const OWN: &str = "[[plugin]]\nname = \"same\"\ncomponent = \"same.wasm\"\n";
const ROUTE: &str = "[[route]]\npath = \"/\"\nplugin = \"same\"\n";

/// A tenant whose plugin is this build of the fixture, with more keys of it.
fn tenant(setup: Setup, name: &str, version: u32, keys: &str) -> Setup {
    let folder = format!("tenants/{name}");
    setup
        .file(
            &format!("{folder}/tenant.toml"),
            format!("{OWN}{keys}\n{ROUTE}"),
        )
        .file(
            &format!("{folder}/same.wasm"),
            Build::new("plain", version).bytes(),
        )
}

fn two() -> Setup {
    let setup = tenant(Setup::tenants(OPERATOR), "acme", 1, "");
    tenant(setup, "bob", 2, "")
}

async fn get(host: &Host, authority: &str, path: &str) -> Response {
    let mut request = request("GET", path, full(""));
    let authority = authority.parse().unwrap();
    request.headers_mut().insert("host", authority);
    whole(host, request).await
}

async fn open(host: &Host, authority: &str, path: &str) -> Socket {
    let mut request = handshake(path);
    let authority = authority.parse().unwrap();
    request.headers_mut().insert("host", authority);
    Socket::offer(host, request).await.unwrap()
}

/// Waits until a host's answer is this.
async fn answers(host: &Host, authority: &str, path: &str, status: u16, text: &str) {
    found(&format!("{status} {text} of {authority}"), async || {
        let response = get(host, authority, path).await;
        (response.status == status && (text.is_empty() || response.text() == text)).then_some(())
    })
    .await;
}

/// Changes a tenant's file.
fn edit(host: &Host, name: &str, old: &str, new: &str) {
    let path = host.folder().join("tenants").join(name).join("tenant.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(old), "no `{old}` in {text}");
    put(&path, text.replace(old, new));
}

#[tokio::test]
async fn each_is_reached_by_its_own_hosts() {
    let host = two().start().await;
    for (authority, expected) in [
        ("acme.example", "1"),
        ("ACME.example.:80", "1"),
        ("www.deep.acme.example", "1"),
        ("bob.example", "2"),
        ("x.bob.example", "2"),
    ] {
        let response = get(&host, authority, "/version").await;
        assert_eq!(response.text(), expected, "{authority}");
    }
    for authority in ["other.example", "example", "badacme.example"] {
        assert_eq!(
            get(&host, authority, "/version").await.status,
            404,
            "{authority}"
        );
    }
    host.stop().await;
}

#[tokio::test]
async fn names_and_ids_of_one_mean_nothing_to_the_other() {
    let host = two().start().await;
    let mut acme = open(&host, "acme.example", "/").await;
    let mut bob = open(&host, "bob.example", "/").await;
    assert_eq!(acme.ask("subscribe news").await, "subscribed");
    assert_eq!(bob.ask("publish news from bob").await, "queued=0 full=0");
    assert_eq!(bob.ask("subscribe news").await, "subscribed");
    let told = bob.ask("publish-others news from bob").await;
    assert_eq!(told, "queued=0 full=0");
    let id = acme.ask("id").await;
    for command in [format!("send {id} x"), format!("close {id} 1000")] {
        assert_eq!(
            bob.ask(&command).await,
            "the connection is gone",
            "{command}"
        );
    }
    // Nothing of that has arrived: this is the next thing it hears.
    assert_eq!(acme.ask("echo here").await, "here");
    let own = acme.ask("publish-others news from acme").await;
    assert_eq!(own, "queued=0 full=0");
    assert_eq!(bob.ask("echo here").await, "here");
    host.stop().await;
}

#[tokio::test]
async fn keys_and_lines_of_one_are_not_those_of_the_other() {
    let host = two().start().await;
    let mut acme = open(&host, "acme.example", "/").await;
    let mut bob = open(&host, "bob.example", "/").await;
    for expected in ["1", "2", "3"] {
        assert_eq!(acme.ask("increment visits").await, expected);
    }
    // The same name, and others that would be it if names were put together.
    for name in [
        "visits",
        "acme/visits",
        "../acme/visits",
        "acme\0visits",
        "visits\0",
    ] {
        assert_eq!(bob.ask(&format!("increment {name}")).await, "1", "{name:?}");
    }
    assert_eq!(acme.ask("increment visits").await, "4");
    bob.send("log tenant=acme plugin=same all is mine").await;
    let line = host.logged(&["all is mine", "standard error"]).await;
    assert!(line.contains("tenant=\"bob\""), "{line}");
    assert!(!line.contains("tenant=\"acme\""), "{line}");
    host.stop().await;
}

#[tokio::test]
async fn one_comes_changes_and_goes_while_the_other_is_used() {
    let host = two().start().await;
    let mut socket = open(&host, "acme.example", "/").await;
    let folder = host.folder().join("tenants");
    std::fs::create_dir(folder.join("carl")).unwrap();
    put(
        &folder.join("carl/same.wasm"),
        Build::new("plain", 3).bytes(),
    );
    put(&folder.join("carl/tenant.toml"), format!("{OWN}{ROUTE}"));
    answers(&host, "carl.example", "/version", 200, "3").await;
    put(
        &folder.join("carl/same.wasm"),
        Build::new("plain", 4).bytes(),
    );
    answers(&host, "carl.example", "/version", 200, "4").await;
    edit(&host, "carl", "path = \"/\"", "path = \"/version\"");
    answers(&host, "carl.example", "/hello", 404, "").await;
    let mut last = open(&host, "carl.example", "/version").await;
    std::fs::rename(folder.join("carl"), host.folder().join("carl")).unwrap();
    answers(&host, "carl.example", "/version", 404, "").await;
    last.end().await;
    assert_eq!(socket.ask("echo on").await, "on");
    assert_eq!(get(&host, "bob.example", "/version").await.text(), "2");
    host.stop().await;
}

#[tokio::test]
async fn what_is_wrong_with_one_is_its_own_trouble() {
    let setup = tenant(two(), "broken", 3, "tenant = \"acme\"");
    let host = setup.start().await;
    assert_eq!(get(&host, "broken.example", "/version").await.status, 404);
    let error = host.status().await.tenant_error("broken").unwrap();
    assert!(error.contains("`tenant` is `acme`"), "{error}");
    edit(&host, "broken", "tenant = \"acme\"", "");
    answers(&host, "broken.example", "/version", 200, "3").await;
    assert_eq!(host.status().await.tenant_error("broken"), None);

    edit(&host, "acme", "path", "pfad");
    let error = found("an error of acme", async || {
        host.status().await.tenant_error("acme")
    })
    .await;
    assert!(error.contains("pfad"), "{error}");
    assert_eq!(get(&host, "acme.example", "/version").await.text(), "1");
    let component = host.folder().join("tenants/bob/same.wasm");
    put(&component, Build::new("plain", 5).bytes());
    answers(&host, "bob.example", "/version", 200, "5").await;
    host.stop().await;
}

#[tokio::test]
async fn a_component_of_somebody_else_is_out_of_reach() {
    let setup = two().file("tenants/eve/tenant.toml", format!("{OWN}{ROUTE}"));
    let host = setup.start().await;
    let folder = host.folder().join("tenants/eve");
    symlink("../acme/same.wasm", folder.join("same.wasm")).unwrap();
    host.logged(&["can't be loaded", "eve", "it is not in the tenant's folder"])
        .await;
    assert_eq!(get(&host, "eve.example", "/version").await.status, 404);
    // Within its folder links are as good as files.
    std::fs::create_dir(folder.join("..v1")).unwrap();
    put(
        &folder.join("..v1/same.wasm"),
        Build::new("plain", 6).bytes(),
    );
    symlink("..v1/same.wasm", folder.join("next")).unwrap();
    std::fs::rename(folder.join("next"), folder.join("same.wasm")).unwrap();
    answers(&host, "eve.example", "/version", 200, "6").await;
    host.stop().await;
}

#[tokio::test]
async fn secrets_come_from_files_and_variables_and_are_not_told() {
    let sections = format!("{OPERATOR}[tenant.acme]\nenv = [\"ACME_*\"]\n");
    let keys = "config = { file = { file = \"token\" }, env = { env = \"ACME_KEY\" } }";
    let setup = tenant(Setup::tenants(&sections), "acme", 1, keys)
        .file("tenants/acme/token", "first-secret\n")
        .variable("ACME_KEY", "env-secret");
    let host = setup.start().await;
    answers(&host, "acme.example", "/config/file", 200, "first-secret").await;
    answers(&host, "acme.example", "/config/env", 200, "env-secret").await;
    put(&host.folder().join("tenants/acme/token"), "second-secret");
    answers(&host, "acme.example", "/config/file", 200, "second-secret").await;
    std::fs::remove_file(host.folder().join("tenants/acme/token")).unwrap();
    host.logged(&["can't be loaded", "the setting `file`", "token"])
        .await;
    answers(&host, "acme.example", "/config/file", 200, "second-secret").await;
    let said = host.status().await.whole() + &host.log();
    assert!(!said.contains("-secret"), "{said}");
    host.stop().await;
}

#[tokio::test]
async fn a_tenants_limits_change_while_it_is_served() {
    let sections = format!("{OPERATOR}[tenant.acme.limits]\nconnections_max = 1\n");
    let host = tenant(Setup::tenants(&sections), "acme", 1, "")
        .start()
        .await;
    let mut socket = open(&host, "acme.example", "/").await;
    let mut more = handshake("/");
    let authority = "acme.example".parse().unwrap();
    more.headers_mut().insert("host", authority);
    let refusal = Socket::offer(&host, more).await.unwrap_err();
    assert_eq!(refusal.status(), 503);
    host.logged(&[
        "a handshake is refused",
        "acme",
        "the tenant has 1 connections",
    ])
    .await;
    host.edit("connections_max = 1", "connections_max = 2");
    host.logged(&["plugin reloaded", "acme"]).await;
    let mut second = open(&host, "acme.example", "/").await;
    assert_eq!(second.ask("echo on").await, "on");
    assert_eq!(socket.ask("echo on").await, "on");
    host.stop().await;
}

/// Generous: without optimisation, on a machine with much else to do, it was 6 s.
const START_S: u64 = 60;
/// What an idle tenant may cost, in bytes of resident memory.
const IDLE_BYTES_MAX: u64 = 200_000;

#[tokio::test]
async fn a_thousand_tenants_start_from_the_cache_and_cost_little() {
    const COUNT: u32 = 1000;
    let few = many(1).start().await;
    let base = process::resident_bytes(few.pid());
    few.stop().await;
    let host = many(COUNT).start().await;
    let took = loading_took(&host.log());
    let each = process::resident_bytes(host.pid()).saturating_sub(base) / u64::from(COUNT);
    println!("{COUNT} tenants were loaded in {took} s, and have {each} bytes each");
    assert!(took < START_S, "{took} s");
    assert!(each < IDLE_BYTES_MAX, "{each} bytes each");
    for index in [0, COUNT / 2, COUNT - 1] {
        let mut socket = open(&host, &format!("t{index}.example"), "/").await;
        assert_eq!(socket.ask("hello").await, "hello");
    }
    // One of them changes, and is not kept waiting by the others.
    edit(&host, "t7", "path = \"/\"", "path = \"/other\"");
    answers(&host, "t7.example", "/", 404, "").await;
    let mut socket = open(&host, "t7.example", "/other").await;
    assert_eq!(socket.ask("hello").await, "hello");
    host.stop().await;
}

/// Seconds from the first plugin to the last, by the clock of the log.
fn loading_took(log: &str) -> u64 {
    let loaded = log.lines().filter(|line| line.contains("plugin loaded"));
    let seconds = loaded.map(|line| {
        let (_, clock) = line.split_once('T').unwrap();
        let parts = clock.split([':', '.']).take(3);
        parts.fold(0, |sum, part| sum * 60 + part.parse::<u64>().unwrap())
    });
    let seconds: Vec<_> = seconds.collect();
    const DAY_S: u64 = 86_400;
    (DAY_S + seconds[seconds.len() - 1] - seconds[0]) % DAY_S
}

/// So many tenants with one plugin each.
fn many(count: u32) -> Setup {
    let component = std::fs::read(place::guest("echo")).unwrap();
    (0..count).fold(Setup::tenants(OPERATOR), |setup, index| {
        let folder = format!("tenants/t{index}");
        setup
            .file(&format!("{folder}/tenant.toml"), format!("{OWN}{ROUTE}"))
            .file(&format!("{folder}/same.wasm"), component.clone())
    })
}
