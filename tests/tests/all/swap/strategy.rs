//! Who gets new code: everybody, a share of the connections, or new ones only.

use std::collections::BTreeMap;

use holdfast_tests::build::Build;
use holdfast_tests::host::Host;
use holdfast_tests::http::Client;
use holdfast_tests::setup::Setup;
use holdfast_tests::socket::{End, Socket};

use super::version_at;

in_both_forms!(
    a_canary_gets_its_share_and_keeps_it,
    a_canary_is_promoted,
    a_canary_is_given_up,
    a_pinned_socket_stays_with_its_code,
);

const CONNECTIONS: usize = 200;
const PERCENT: usize = 25;

/// Connections are chosen by their random ids. Fewer or more than these of 200
/// come about once in a million runs.
const SHARE: std::ops::RangeInclusive<usize> = 20..=82;

/// A host with a canary of version 2, whose attachments have another format, and
/// open sockets.
async fn canary(form: &str) -> (Host, Vec<Socket>) {
    let host = Setup::of_build(&Build::new(form, 1))
        .deploy("strategy", "\"canary\"")
        .deploy("canary_percent", PERCENT)
        .start()
        .await;
    let mut sockets = Vec::new();
    for _ in 0..CONNECTIONS {
        sockets.push(Socket::open(&host, "/?note=mine").await);
    }
    host.put(&Build::new(form, 2).format('b'));
    host.becomes("a canary", |plugin| plugin.role("canary").is_some())
        .await;
    (host, sockets)
}

async fn versions(sockets: &mut [Socket]) -> Vec<u32> {
    let mut versions = Vec::new();
    for socket in sockets {
        versions.push(version_at(socket).await);
    }
    versions
}

async fn a_canary_gets_its_share_and_keeps_it(form: &str) {
    let (host, mut sockets) = canary(form).await;
    let first = versions(&mut sockets).await;
    let share = first.iter().filter(|version| **version == 2).count();
    assert!(SHARE.contains(&share), "{share} of {CONNECTIONS}");
    for _ in 0..3 {
        assert_eq!(versions(&mut sockets).await, first, "somebody has moved");
    }
    let plugin = host.fixture().await;
    assert_eq!(plugin.generation(), 1);
    let (stable, canary) = (
        plugin.role("stable").unwrap(),
        plugin.role("canary").unwrap(),
    );
    assert_eq!((stable.number, canary.number), (1, 2));
    assert_eq!(canary.connections, share as u64);
    assert_eq!(stable.connections, (CONNECTIONS - share) as u64);
    // New connections are dealt as well.
    let mut dealt = BTreeMap::new();
    let mut more = Vec::new();
    for _ in 0..CONNECTIONS {
        let mut socket = Socket::open(&host, "/").await;
        *dealt.entry(version_at(&mut socket).await).or_insert(0) += 1;
        more.push(socket);
    }
    assert!(SHARE.contains(&dealt[&2]), "{dealt:?}");
    assert_eq!(requests(&host).await, PERCENT * 4);
    host.stop().await;
}

/// Of 400 requests, how many the canary has answered.
async fn requests(host: &Host) -> usize {
    let mut client = Client::connect(host).await;
    let mut count = 0;
    for _ in 0..400 {
        let response = client.get("/version").await.unwrap();
        assert_eq!(response.status, 200);
        count += usize::from(response.text() == "2");
    }
    count
}

async fn a_canary_is_promoted(form: &str) {
    let (host, mut sockets) = canary(form).await;
    versions(&mut sockets).await;
    host.ask(&["promote", "fixture"]).await;
    assert_eq!(versions(&mut sockets).await, [2; CONNECTIONS]);
    for socket in &mut sockets {
        // Carried over once, whether before the promotion or after it.
        let state = socket.ask("state me").await;
        assert_eq!(state, "note=mine from a version=1 buffered=0");
    }
    assert_eq!(requests(&host).await, 400);
    assert_eq!(host.settles().await.generation(), 2);
    // There is no canary now.
    let output = host.say(&["promote", "fixture"]).await;
    assert!(!output.status.success());
    host.stop().await;
}

async fn a_canary_is_given_up(form: &str) {
    let (host, mut sockets) = canary(form).await;
    let first = versions(&mut sockets).await;
    host.ask(&["rollback", "fixture"]).await;
    assert_eq!(versions(&mut sockets).await, [1; CONNECTIONS]);
    for (socket, version) in sockets.iter_mut().zip(first) {
        let state = socket.ask("state me").await;
        let note = match version {
            1 => "note=mine version=0",
            _ => "note=mine from a from b version=2",
        };
        assert_eq!(state, format!("{note} buffered=0"));
    }
    assert_eq!(requests(&host).await, 0);
    let plugin = host.settles().await;
    assert_eq!(plugin.generations()[0].connections, CONNECTIONS as u64);
    // The file still has what was given up; it does not come back by itself.
    host.ask(&["reload"]).await;
    assert_eq!(requests(&host).await, 0);
    host.stop().await;
}

async fn a_pinned_socket_stays_with_its_code(form: &str) {
    let host = Setup::of_build(&Build::new(form, 1))
        .deploy("strategy", "\"pin\"")
        .start()
        .await;
    let mut sockets = vec![Socket::open(&host, "/?observe=log").await];
    for version in 2..=3 {
        host.switch(form, version).await;
        sockets.push(Socket::open(&host, "/").await);
    }
    for _ in 0..3 {
        assert_eq!(versions(&mut sockets).await, [1, 2, 3]);
    }
    let generations = host.fixture().await.generations();
    let summary = generations
        .iter()
        .map(|it| (it.number, &*it.role, it.connections));
    let expected = [(1, "old", 1), (2, "old", 1), (3, "stable", 1)];
    assert_eq!(summary.collect::<Vec<_>>(), expected);
    // The old code hears of the end, and goes with its last socket.
    let end = sockets[0].close(1000, "").await;
    assert_eq!(end, End::Closed(1000, String::new()));
    host.logged(&["close Client 1000"]).await;
    host.becomes("the first generation to go", |plugin| {
        let generations = plugin.generations();
        let numbers = generations.iter().map(|it| it.number);
        numbers.eq([2, 3])
    })
    .await;
    assert_eq!(versions(&mut sockets[1..]).await, [2, 3]);
    drop(sockets);
    host.settles().await;
    host.stop().await;
}
