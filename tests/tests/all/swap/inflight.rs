//! Events that are in a guest when new code comes finish in the old code.

use bytes::Bytes;
use holdfast_tests::build::Build;
use holdfast_tests::host::Host;
use holdfast_tests::http::{get, piece, request, send, streamed};
use holdfast_tests::setup::Setup;
use holdfast_tests::socket::Socket;
use holdfast_tests::wait::patiently;
use http_body_util::BodyExt;

use super::version_at;

in_both_forms!(
    a_response_streams_on_across_reloads,
    an_upload_goes_on_across_reloads,
    handlers_at_work_finish,
);

/// Deploys the builds 2, 3 and 4 one after the other.
async fn reload_thrice(host: &Host, form: &str) {
    for version in 2..=4 {
        host.switch(form, version).await;
    }
}

/// The numbers of the old generations that are alive.
async fn old(host: &Host) -> Vec<u64> {
    let generations = host.fixture().await.generations();
    let old = generations.iter().filter(|it| it.role == "old");
    old.map(|it| it.number).collect()
}

async fn a_response_streams_on_across_reloads(form: &str) {
    const EVENTS: usize = 100;
    let host = Setup::of_build(&Build::new(form, 1)).start().await;
    let path = format!("/versions/{EVENTS}/100");
    let response = send(&host, request("GET", &path, holdfast_tests::http::full(""))).await;
    let mut body = response.unwrap().into_body();
    let mut text = String::from_utf8(piece(&mut body).await.unwrap().to_vec()).unwrap();
    reload_thrice(&host, form).await;
    assert_eq!(
        old(&host).await,
        [1],
        "the old code is at work, and only that"
    );
    while let Some(piece) = piece(&mut body).await {
        text += std::str::from_utf8(&piece).unwrap();
    }
    assert_eq!(text, "data: 1\n\n".repeat(EVENTS));
    host.settles().await;
    host.stop().await;
}

async fn an_upload_goes_on_across_reloads(form: &str) {
    let host = Setup::of_build(&Build::new(form, 1)).start().await;
    let mut observer = Socket::watch(&host, "seen").await;
    let (sender, body) = streamed();
    let upload = send(&host, request("POST", "/swallow?observe=seen", body));
    let rest = async {
        sender.send(Bytes::from_static(b"one")).await.unwrap();
        assert_eq!(observer.text().await, "request begins");
        reload_thrice(&host, form).await;
        assert_eq!(
            old(&host).await,
            [1],
            "the old code is at work, and only that"
        );
        sender.send(Bytes::from_static(b"two")).await.unwrap();
        drop(sender);
    };
    let (response, ()) = tokio::join!(upload, rest);
    let body = patiently("the body", response.unwrap().into_body().collect()).await;
    assert_eq!(body.unwrap().to_bytes(), "1 6");
    host.settles().await;
    host.stop().await;
}

async fn handlers_at_work_finish(form: &str) {
    let host = Setup::of_build(&Build::new(form, 1)).start().await;
    let mut observer = Socket::watch(&host, "seen").await;
    let mut socket = Socket::open(&host, "/?observe=seen").await;
    for event in ["accept", "open"] {
        assert!(observer.text().await.ends_with(event));
    }
    let napping = get(&host, "/nap/2000?observe=seen");
    let rest = async {
        assert_eq!(observer.text().await, "request begins");
        // The second message waits for the first, and finds the new code.
        socket.send("sleep 2000").await;
        socket.send("version here").await;
        assert!(observer.text().await.contains("receive> sleep"));
        host.switch(form, 2).await;
        assert_eq!(socket.text().await, "slept");
        assert_eq!(socket.text().await, "2 here");
    };
    let (napped, ()) = tokio::join!(napping, rest);
    assert_eq!(napped.status, 200);
    assert_eq!(napped.text(), "1");
    assert_eq!(version_at(&mut socket).await, 2);
    host.settles().await;
    host.stop().await;
}
