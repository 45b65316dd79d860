//! Clients that are slow on purpose, or send much of what costs them little.
//! Others hardly notice, and memory stays bounded.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use holdfast_tests::host::Host;
use holdfast_tests::process::{Delay, raise_file_limit, resident_bytes};
use holdfast_tests::raw::{Raw, masked};
use holdfast_tests::scale;
use holdfast_tests::setup::Setup;
use holdfast_tests::socket::Socket;
use holdfast_tests::wait::found;
use tokio::net::TcpStream;

/// Requests by which the time of an answer is measured.
const SAMPLES: usize = 400;
/// Where three times the quiet time is less than this, a busy machine can miss it.
const P99_FLOOR: Duration = Duration::from_millis(20);
/// What the host may grow by for each slow client.
const GROWTH_BYTES_MAX: u64 = 48 << 10;
/// Sizes of allocations, one pool of instances more, and the like.
const SLACK_BYTES: u64 = 48 << 20;

/// The ninety-ninth percentile of the times of answers on one connection, of a
/// host with one event loop. Time during which that, or the thread which measures,
/// could run and got no processor is left out: it says what else the machine does.
async fn p99(host: &Host) -> Duration {
    let delay = async || Delay::of_thread(host.pid(), "loop-0");
    let event_loop = found("the event loop", delay).await;
    let address = host.address();
    let measured = tokio::task::spawn_blocking(move || {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().build().unwrap();
        runtime.block_on(times(address, &[event_loop, Delay::here()]))
    });
    let mut times = measured.await.unwrap();
    times.sort();
    times[times.len() * 99 / 100]
}

/// The times of answers, without these delays.
async fn times(address: SocketAddr, delays: &[Delay]) -> Vec<Duration> {
    let mut raw = Raw::over(TcpStream::connect(address).await.unwrap());
    let mut times = Vec::new();
    for _ in 0..SAMPLES {
        let delayed = || delays.iter().map(Delay::total).sum::<Duration>();
        let (before, start) = (delayed(), Instant::now());
        raw.send(b"GET /hello HTTP/1.1\r\nhost: a\r\n\r\n").await;
        let (head, _) = raw.response(false).await;
        let elapsed = start.elapsed();
        times.push(elapsed.saturating_sub(delayed().saturating_sub(before)));
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    }
    times
}

/// How a slow client begins.
fn begin(number: usize) -> Vec<u8> {
    match number % 4 {
        0 => b"GET /hello HTTP/1.1\r\nhost: a\r\nx-slow: ".to_vec(),
        1 => b"POST /length HTTP/1.1\r\nhost: a\r\ncontent-length: 60000\r\n\r\n".to_vec(),
        // It asks for much, and reads nothing.
        2 => b"GET /hello HTTP/1.1\r\nhost: a\r\n\r\n".repeat(1000),
        _ => Vec::new(),
    }
}

/// Whether it sends a byte from time to time.
fn goes_on(number: usize) -> bool {
    number % 4 < 2
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_clients_keep_nobody_waiting() {
    raise_file_limit();
    let count = scale::count(5000, 1000);
    let setup = Setup::new("plain").host("threads", 1);
    let host = setup.alone().start().await;
    p99(&host).await;
    let quiet = p99(&host).await;
    let before = resident_bytes(host.pid());
    let mut clients = Vec::new();
    for number in 0..count {
        let mut raw = Raw::connect(&host).await;
        raw.try_send(&begin(number)).await;
        clients.push(raw);
    }
    let attack = tokio::spawn(async move {
        // Each of them a byte every few seconds, for ever.
        loop {
            for (number, raw) in clients.iter_mut().enumerate() {
                if goes_on(number) {
                    raw.try_send(b"x").await;
                }
                if number % 100 == 0 {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        }
    });
    let busy = p99(&host).await.min(p99(&host).await);
    let grown = resident_bytes(host.pid()).saturating_sub(before);
    attack.abort();
    eprintln!("{count} slow clients: p99 {quiet:?}, then {busy:?}; {grown} bytes more");
    assert!(
        busy < (quiet * 3).max(P99_FLOOR),
        "{quiet:?}, then {busy:?}"
    );
    let grown_max = SLACK_BYTES + count as u64 * GROWTH_BYTES_MAX;
    assert!(grown < grown_max, "{grown} bytes");
}

#[tokio::test]
async fn a_flood_of_pings_or_pongs_ends() {
    let host = Setup::new("echo")
        .limit("control_frames_per_second_max", 10)
        .start()
        .await;
    for first in [0x89, 0x8a] {
        let mut raw = Raw::websocket(&host, "/").await;
        // They may be in two seconds, each of which has its own.
        raw.try_send(&masked(first, b"x").repeat(1000)).await;
        assert_eq!(raw.close_code().await, Some(1008), "{first:x}");
    }
    let mut raw = Raw::websocket(&host, "/").await;
    raw.send(&masked(0x89, b"x").repeat(10)).await;
    for _ in 0..10 {
        assert_eq!(raw.frame().await.unwrap().payload, b"x");
    }
    // Without a limit nobody counts.
    let host = Setup::new("echo")
        .limit("control_frames_per_second_max", 0)
        .start()
        .await;
    let mut raw = Raw::websocket(&host, "/").await;
    raw.send(&masked(0x8a, b"x").repeat(1000)).await;
    raw.send(&masked(0x82, b"x")).await;
    assert_eq!(raw.frame().await.unwrap().payload, b"x");
}

#[tokio::test]
async fn slow_bodies_hold_no_instance_and_end() {
    let host = Setup::new("plain")
        .limit("instances_max", 1)
        .limit("body_idle_timeout_ms", 1000)
        .start()
        .await;
    let mut slow = Vec::new();
    for _ in 0..20 {
        let mut raw = Raw::connect(&host).await;
        raw.send(b"POST /length HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nx")
            .await;
        slow.push(raw);
    }
    p99(&host).await;
    // In chunks, the guest is called at once, and fails to read.
    let mut raw = Raw::connect(&host).await;
    raw.send(b"POST /length HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n")
        .await;
    slow.push(raw);
    for mut raw in slow {
        let answers = String::from_utf8(raw.rest().await).unwrap();
        assert!(answers.starts_with("HTTP/1.1 408 "), "{answers}");
        assert_eq!(answers.matches("HTTP/1.").count(), 1, "{answers}");
    }
    p99(&host).await;
}

#[tokio::test]
async fn a_slow_head_ends() {
    let setup = Setup::new("plain").section("http", "head_timeout_ms = 300");
    let host = setup.start().await;
    for begin in [
        "",
        "GET /hello HTTP/1.1\r\nhost",
        "GET /hello HTTP/1.1\r\nhost: a\r\n\r\n",
    ] {
        let mut raw = Raw::connect(&host).await;
        raw.send(begin.as_bytes()).await;
        let answers = String::from_utf8(raw.rest().await).unwrap();
        let is_whole = begin.ends_with("\r\n\r\n");
        assert_eq!(
            answers.matches("HTTP/1.1 200 ").count(),
            usize::from(is_whole)
        );
    }
}

#[tokio::test]
async fn floods_of_frames_take_no_memory() {
    let host = Setup::new("echo")
        .limit("message_bytes_max", 100_000)
        .start()
        .await;
    let mut other = Socket::open(&host, "/").await;
    let before = resident_bytes(host.pid());
    let pings = masked(0x89, &[b'p'; 125]).repeat(1000);
    let empty = [masked(0x02, b""), masked(0x00, b"").repeat(2000)].concat();
    let small = [masked(0x02, b"a"), masked(0x00, b"a").repeat(100_000)].concat();
    let announced = vec![0x82, 0xff, 0, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0];
    let mut flooding = Vec::new();
    for _ in 0..20 {
        // Nobody reads the pongs.
        let mut raw = Raw::websocket(&host, "/").await;
        for _ in 0..20 {
            raw.try_send(&pings).await;
        }
        flooding.push(raw);
        for (bytes, code) in [(&empty, 1008), (&small, 1009), (&announced, 1009)] {
            let mut raw = Raw::websocket(&host, "/").await;
            raw.try_send(bytes).await;
            assert_eq!(raw.close_code().await, Some(code));
        }
        assert_eq!(other.ask("unharmed").await, "unharmed");
    }
    let grown = resident_bytes(host.pid()).saturating_sub(before);
    assert!(grown < 16 << 20, "{grown} bytes");
}
