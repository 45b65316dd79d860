//! Files larger than what is kept of them.

use std::fs::File;
use std::os::unix::fs::FileExt;

use holdfast_tests::host::Host;
use holdfast_tests::http::{connect, full, get, piece, request, send, send_http2};
use holdfast_tests::http2::Client;
use holdfast_tests::process::{open_files, resident_bytes};
use holdfast_tests::raw::Raw;
use holdfast_tests::wait::{found, patiently, until};
use http::Request;
use http_body_util::BodyExt;

use super::{ask, site, tag};

const MIB: usize = 1 << 20;

/// Bytes which say where they are.
fn pattern(len: usize) -> Vec<u8> {
    let mut bytes = vec![b'.'; len];
    for (index, line) in bytes.chunks_exact_mut(64).enumerate() {
        line[..8].copy_from_slice(&index.to_be_bytes());
    }
    bytes
}

async fn large(keys: &str, len: usize) -> Host {
    site("")
        .section("files", keys)
        .file("public/large.bin", pattern(len))
        .file("public/other.bin", pattern(MIB))
        .file("public/small.txt", "small")
        .start()
        .await
}

/// Has the system drop what it keeps of a file in memory.
fn forget(host: &Host, name: &str) {
    let file = File::open(host.folder().join("public").join(name)).unwrap();
    file.sync_all().unwrap();
    rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).unwrap();
}

/// A client that has asked for a file and reads nothing.
async fn idle(host: &Host, path: &str) -> Raw {
    let mut raw = Raw::connect(host).await;
    let request = format!("GET {path} HTTP/1.1\r\nhost: test.example\r\n\r\n");
    raw.send(request.as_bytes()).await;
    let head = raw.head().await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    raw
}

#[tokio::test]
async fn a_large_file_is_sent_as_it_is() {
    let expected = pattern(20 * MIB);
    let host = large("reads_max = 1", expected.len()).await;
    let response = get(&host, "/large.bin").await;
    assert!(response.body == expected);
    // The same from the disk, for several at once.
    for name in ["large.bin", "small.txt"] {
        forget(&host, name);
        let path = format!("/{name}");
        let clients = (0..3).map(|_| get(&host, &path));
        for response in futures_util::future::join_all(clients).await {
            assert_eq!(response.status, 200);
            assert!(name == "small.txt" || response.body == expected);
        }
    }
    let response = send_http2(&host, request("GET", "http://a/large.bin", full("")));
    let body = response.await.unwrap().into_body().collect().await.unwrap();
    assert!(body.to_bytes() == expected);
    let range = [("range", "bytes=1000001-15000000")];
    let response = ask(&host, "GET", "/large.bin", &range).await;
    assert!(response.body == expected[1_000_001..=15_000_000]);
}

#[tokio::test]
async fn clients_that_do_not_read_cost_little() {
    let host = large("", 24 * MIB).await;
    assert_eq!(get(&host, "/large.bin").await.status, 200);
    let (memory, files) = (resident_bytes(host.pid()), open_files(host.pid()));
    let mut clients = Vec::new();
    for _ in 0..100 {
        clients.push(idle(&host, "/large.bin").await);
    }
    // All have the same file, which is open once.
    let more = open_files(host.pid()) - files;
    assert!(more <= clients.len() + 3, "{more}");
    // And one that asks for it many times over HTTP/2, and gives no window.
    let (mut second, _connection) = Client::over(connect(&host).await).await;
    let mut streams = Vec::new();
    for _ in 0..100 {
        let request = Request::get("http://a/large.bin").body(()).unwrap();
        streams.push(second.send(request, true).await.unwrap());
    }
    let grown = resident_bytes(host.pid()).saturating_sub(memory);
    assert!(grown < 64 << 20, "{grown}");
    assert_eq!(get(&host, "/small.txt").await.text(), "small");
    drop((clients, streams, second));
    until("the files to be closed", || open_files(host.pid()) <= files).await;
}

#[tokio::test]
async fn there_is_a_limit_of_open_files() {
    let host = large("open_max = 1", 24 * MIB).await;
    let first = idle(&host, "/large.bin").await;
    let second = idle(&host, "/large.bin").await;
    let response = get(&host, "/other.bin").await;
    assert_eq!(response.status, 503);
    assert_eq!(response.header("retry-after"), "1");
    assert_eq!(response.header("etag"), "");
    assert_eq!(get(&host, "/small.txt").await.text(), "small");
    drop((first, second));
    found("room for another file", async || {
        (get(&host, "/other.bin").await.status == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_file_that_is_replaced_is_sent_to_its_end() {
    let expected = pattern(24 * MIB);
    let host = large("", expected.len()).await;
    let answer = send(&host, request("GET", "/large.bin", full(""))).await;
    let mut body = answer.unwrap().into_body();
    let mut got = piece(&mut body).await.unwrap().to_vec();
    let public = host.folder().join("public");
    std::fs::write(public.join("new"), vec![b'n'; 5]).unwrap();
    std::fs::rename(public.join("new"), public.join("large.bin")).unwrap();
    assert_eq!(get(&host, "/large.bin").await.text(), "nnnnn");
    while let Some(piece) = piece(&mut body).await {
        got.extend(piece);
    }
    assert!(got == expected);
}

#[tokio::test]
async fn a_file_that_is_written_to_breaks_off() {
    for is_truncated in [false, true] {
        let expected = pattern(24 * MIB);
        let host = large("", expected.len()).await;
        // Its time has to be one that a later change differs from.
        tag(&host, "/large.bin").await;
        let answer = send(&host, request("GET", "/large.bin", full(""))).await;
        let mut body = answer.unwrap().into_body();
        let mut got = piece(&mut body).await.unwrap().to_vec();
        let path = host.folder().join("public/large.bin");
        let file = File::options().write(true).open(path).unwrap();
        match is_truncated {
            true => file.set_len(MIB as u64).unwrap(),
            false => file.write_all_at(&vec![0; 23 * MIB], MIB as u64).unwrap(),
        }
        let end = loop {
            match patiently("a piece", body.frame()).await {
                Some(Ok(frame)) => got.extend(frame.into_data().unwrap()),
                Some(Err(_)) => break true,
                None => break false,
            }
        };
        assert!(end, "it ended as if it were whole");
        // What has come is of the file as it was.
        assert!(expected.starts_with(&got), "{}", got.len());
    }
}

#[tokio::test]
async fn who_takes_nothing_of_a_file_loses_his_connection() {
    let host = site("")
        .section("limits", "response_idle_timeout_ms = 2000")
        .file("public/large.bin", pattern(24 * MIB))
        .start()
        .await;
    let mut raw = idle(&host, "/large.bin").await;
    assert!(raw.is_broken().await);
    let request = request("GET", "/large.bin", full(""));
    let body = send(&host, request).await.unwrap().into_body();
    let body = body.collect().await.unwrap().to_bytes();
    assert_eq!(body.len(), 24 * MIB);
}
