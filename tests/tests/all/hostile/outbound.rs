//! Guests that send requests where they should not, or get more than they should.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use holdfast_tests::names::Names;
use holdfast_tests::upstream::{Babbler, Upstream};

use super::arena::{Arena, Case, Ended, case, ended, let_loose, let_loose_in, overdue, own, text};

const DENIED: &str = "requests to `";

/// They ask as often as they can, and none fails for asking too often.
const OFTEN: &str = "[limits]\noutbound_per_second_max = 10000\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_others_reaches_those_alone_whom_he_may() {
    let secret = Upstream::start("secret", Duration::ZERO).await;
    let port = secret.address().port();
    let redirect = format!(
        "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:{port}/\r\ncontent-length: 0\r\n\r\n"
    );
    let redirect = Babbler::start(redirect, "", Duration::ZERO).await;
    let known = redirect.address();
    let fetch = |host: &str| text(format!("/fetch?url=http://{host}/"), DENIED);
    let granted = |host: &str| format!("allow_http = [\"{host}\"]");
    // Names that mean addresses without being ones, in the ways of inet_aton(3):
    // the operator's list takes them for names, and whoever looks them up does not.
    let (loopback, metadata) = ("2130706433", "2852039166");
    let cases = vec![
        case("loopback", "hostile", fetch(&format!("127.0.0.1:{port}"))),
        case(
            "loopback-by-ipv6",
            "hostile",
            fetch(&format!("[::1]:{port}")),
        ),
        case(
            "loopback-mapped",
            "hostile",
            fetch(&format!("[::ffff:127.0.0.1]:{port}")),
        )
        .keys("allow_http = [\"*.example\"]"),
        case(
            "loopback-by-name",
            "hostile",
            fetch(&format!("{loopback}:{port}")),
        )
        .keys(granted(&format!("{loopback}:{port}"))),
        case(
            "loopback-by-short-name",
            "hostile",
            fetch(&format!("127.1:{port}")),
        )
        .keys(granted(&format!("127.1:{port}"))),
        case("metadata", "hostile", fetch("169.254.169.254")),
        case("metadata-by-name", "hostile", fetch(metadata)).keys(granted(metadata)),
        case("metadata-by-ipv6", "hostile", fetch("[fd00:ec2::254]")),
        case(
            "redirect",
            "hostile",
            text(format!("/follow?url=http://{known}/"), DENIED),
        )
        .keys(granted(&known.to_string())),
    ];
    let_loose(cases, OFTEN).await;
    assert_eq!(secret.requests(), 0);
    assert!(redirect.requests() > 0);
}

/// A name means an address that anybody may reach, and a moment later, when that
/// has been checked, one of the host's own: it is checked again, or not asked for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whose_name_changes_its_meaning_reaches_nobody_else() {
    const NAME: &str = "rebound.example";
    // Of the public internet, and nobody's: not assigned by IANA.
    const ELSEWHERE: &str = "2d00::7";
    let secret = Upstream::start("secret", Duration::ZERO).await;
    let port = secret.address().port();
    let meaning = |addresses: &[&str]| {
        let lines = addresses.iter().map(|it| format!("{it} {NAME}\n"));
        lines.collect::<String>()
    };
    let names = Arc::new(Names::new(&meaning(&[ELSEWHERE])));
    let seen = Arc::downgrade(&names);
    std::thread::spawn(move || {
        let turns = [&[ELSEWHERE][..], &["127.0.0.1"], &[ELSEWHERE, "127.0.0.1"]];
        for turn in turns.iter().cycle() {
            let Some(names) = seen.upgrade() else { break };
            names.say(&meaning(turn));
            std::thread::sleep(Duration::from_millis(1));
        }
    });
    let authority = format!("{NAME}:{port}");
    let fetch = format!("/fetch?url=http://{authority}/");
    let rebinding = case(
        "rebinding",
        "hostile",
        own(move |arena, case| {
            let fetch = fetch.clone();
            async move { never_answered(arena, case, &fetch).await }.boxed_local()
        }),
    )
    .keys(format!("allow_http = [\"{authority}\"]"))
    .limits("outbound_timeout_ms = 50\noutbound_per_second_max = 10000");
    let_loose_in(|setup| setup.names(&names), vec![rebinding], "").await;
    assert_eq!(secret.requests(), 0);
}

/// Some requests are denied, some are sent to where nobody answers, and no other.
async fn never_answered(arena: &Arena, case: &Case, fetch: &str) -> Ended {
    let (mut denied, mut lost) = (0, 0);
    while denied < 10 || lost < 10 {
        let answer = arena.get(case, fetch).await;
        let text = answer.text();
        ended(answer.status == 200 && !text.starts_with("200"), text)?;
        match text.starts_with(DENIED) {
            true => denied += 1,
            false => lost += 1,
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_answered_too_much_gets_no_more_than_he_may() {
    const HEAD: &str = "HTTP/1.1 200 OK\r\n\r\n";
    const TOO_LARGE: &str = "the request failed: HTTP response header section size exceeds";
    const PAUSE: Duration = Duration::from_millis(20);
    let body = Babbler::start(HEAD, vec![b'.'; 65536], Duration::ZERO).await;
    let head = Babbler::start(
        "HTTP/1.1 200 OK\r\n",
        "x-more: .\r\n".repeat(100),
        Duration::ZERO,
    );
    let head = head.await;
    let fields = "HTTP/1.1 200 OK\r\n".to_owned() + &"a: b\r\n".repeat(5000) + "\r\n";
    let fields = Babbler::start(fields, "", PAUSE).await;
    let hints = Babbler::start("", "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(50), PAUSE).await;
    let silent = Babbler::start("", "", PAUSE);
    let slow = Upstream::start("late", Duration::from_secs(60)).await;
    let silent = silent.await;
    let drip = Babbler::start(HEAD, ".", PAUSE).await;
    let quick = Upstream::start("quick", Duration::ZERO).await;
    let address = quick.address();
    let to = |name, address: SocketAddr, answer| {
        let attack = match answer {
            "" => overdue(format!("/fetch?url=http://{address}/")),
            answer => text(format!("/fetch?url=http://{address}/"), answer),
        };
        case(name, "hostile", attack).keys(format!("allow_http = [\"{address}\"]"))
    };
    let cases = vec![
        to("giant-answer", body.address(), "the body").limits("outbound_bytes_max = 1000000"),
        to("giant-head", head.address(), TOO_LARGE),
        to("many-fields-in-answer", fields.address(), TOO_LARGE),
        to("endless-hints", hints.address(), "the").limits("outbound_timeout_ms = 300"),
        to("late-answer", slow.address(), "the").limits("outbound_timeout_ms = 300"),
        to("no-answer", silent.address(), "the"),
        to("slow-answer", drip.address(), "").limits("instance_events_max = 1"),
        case(
            "flood-of-requests",
            "hostile",
            own(move |arena, case| flood(arena, case, address).boxed_local()),
        )
        .keys(format!("allow_http = [\"{address}\"]"))
        .limits("outbound_per_second_max = 1"),
    ];
    let_loose(cases, OFTEN).await;
}

/// Some of many requests are sent, and the others are not.
async fn flood(arena: &Arena, case: &Case, to: SocketAddr) -> Ended {
    let path = format!("/fetch?url=http://{to}/");
    let mut sent = 0;
    for _ in 0..50 {
        sent += u32::from(arena.get(case, &path).await.text() == "200 quick");
    }
    ended((1..25).contains(&sent), sent)
}
