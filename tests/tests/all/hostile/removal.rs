//! Guests that are removed while thousands of their clients are deaf.

use futures_util::FutureExt;
use futures_util::future::join_all;
use holdfast_tests::process::raise_file_limit;

use super::arena::{Arena, Case, Ended, case, let_loose, own};

const CLIENTS: usize = 2000;
const AT_ONCE: usize = 100;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_goes_with_thousands_of_deaf_clients_holds_nobody_up() {
    raise_file_limit();
    let come_and_go = own(|arena, case| come_and_go(arena, case).boxed_local());
    let go = own(|arena, case| go(arena, case).boxed_local());
    let cases = vec![
        case("coming-and-going", "copy of plain", come_and_go),
        case("deaf-clients", "copy of plain", go).limits("close_timeout_ms = 1000"),
    ];
    let_loose(cases, "").await;
}

async fn come_and_go(arena: &Arena, case: &Case) -> Ended {
    arena.remove(case).await;
    arena.put_back(case).await;
    Ok(())
}

/// None of them answers its close frame, so that they all end at the same time.
async fn go(arena: &Arena, case: &Case) -> Ended {
    let mut clients = Vec::new();
    while clients.len() < CLIENTS {
        let opening = (0..AT_ONCE).map(|_| arena.raw_websocket(case));
        clients.extend(join_all(opening).await);
    }
    arena.remove(case).await;
    for mut client in clients {
        client.rest().await;
    }
    arena.put_back(case).await;
    Ok(())
}
