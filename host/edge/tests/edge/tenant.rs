//! Limits of a tenant, of a client's address, and of one client's haste.

use std::time::{Duration, Instant};

use holdfast_core::limits::{RawLimits, TenantLimits};
use tokio_tungstenite::tungstenite::Error;

use crate::support::client::{Client, Raw};
use crate::support::server::{Options, Server};
use crate::support::until;

fn server(tenant_limits: TenantLimits) -> Server {
    let options = Options {
        tenant_limits,
        ..Options::default()
    };
    options.start()
}

/// Checks that a handshake gets 503, and may be tried again.
async fn is_refused(server: &Server, path: &str) {
    match Client::try_connect(server.address, path, &[]).await {
        Err(Error::Http(response)) => {
            assert_eq!(response.status(), 503);
            assert!(response.headers().contains_key("retry-after"));
        }
        other => panic!("not refused: {:?}", other.is_ok()),
    }
}

#[tokio::test]
async fn the_plugins_of_a_tenant_have_so_many_connections_together() {
    let server = server(TenantLimits {
        connections_max: 2,
        ..TenantLimits::default()
    });
    let first = Client::connect(server.address, "/").await;
    let _second = Client::connect(server.address, "/other").await;
    is_refused(&server, "/").await;
    is_refused(&server, "/other").await;
    drop(first);
    until("there is room", || server.connection_count() == 0).await;
    Client::connect(server.address, "/other").await;
}

#[tokio::test]
async fn handshakes_that_come_too_fast_are_refused() {
    let server = server(TenantLimits {
        handshakes_per_second_max: 1,
        ..TenantLimits::default()
    });
    let _first = Client::connect(server.address, "/").await;
    is_refused(&server, "/").await;
    let deadline = Instant::now() + Duration::from_secs(10);
    while Client::try_connect(server.address, "/", &[]).await.is_err() {
        assert!(Instant::now() < deadline, "no handshake in a later second");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_tenant_has_so_many_topics() {
    let server = server(TenantLimits {
        topics_max: 2,
        ..TenantLimits::default()
    });
    let mut one = Client::connect(server.address, "/").await;
    let mut other = Client::connect(server.address, "/other").await;
    assert_eq!(one.ask("join a").await, "Ok(())");
    assert_eq!(other.ask("join b").await, "Ok(())");
    assert_eq!(other.ask("join c").await, "Err(TooMany(2))");
    assert_eq!(other.ask("join a").await, "Ok(())", "it is there already");
    drop(one);
    until("the first is gone", || server.connection_count() == 0).await;
    other.send("leave a").await;
    assert_eq!(other.ask("join c").await, "Ok(())", "there is room again");
}

#[tokio::test]
async fn an_address_has_so_many_connections() {
    let options = Options {
        connections_per_address_max: 2,
        ..Options::default()
    };
    let server = options.start();
    let first = Client::connect(server.address, "/").await;
    let mut second = Client::connect(server.address, "/").await;
    let mut third = Raw::connect(server.address).await;
    assert!(third.rest().await.is_empty(), "closed at once");
    assert_eq!(second.ask("echo on").await, "echo on");
    drop(first);
    let deadline = Instant::now() + Duration::from_secs(10);
    while Client::try_connect(server.address, "/", &[]).await.is_err() {
        assert!(Instant::now() < deadline, "no room for one that came later");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_hasty_client_is_read_from_more_slowly_and_loses_nothing() {
    const COUNT: usize = 30;
    let options = Options {
        limits: RawLimits {
            messages_per_second_max: Some(20),
            ..RawLimits::default()
        },
        ..Options::default()
    };
    let server = options.start();
    let mut client = Client::connect(server.address, "/").await;
    let mut neighbour = Client::connect(server.address, "/").await;
    let begin = Instant::now();
    for index in 0..COUNT {
        client.send(&format!("echo {index}")).await;
    }
    assert_eq!(neighbour.ask("echo on").await, "echo on");
    for index in 0..COUNT {
        assert_eq!(client.text().await, format!("echo {index}"));
    }
    // So many come at once, the rest at twenty a second.
    let least = Duration::from_millis(50) * (COUNT as u32 - 20 - 1);
    assert!(begin.elapsed() >= least, "{:?}", begin.elapsed());
}
