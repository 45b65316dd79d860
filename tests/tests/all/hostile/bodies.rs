//! Guests whose responses are not what they say, or do not end.

use futures_util::FutureExt;

use super::arena::{Arena, Case, Ended, broken, case, ended, let_loose, own, status};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whose_response_is_none_harms_no_other() {
    let cases = vec![
        case("endless-body", "hostile", broken("/endless")).limits("response_bytes_max = 1000000"),
        case("drip", "hostile", broken("/drip/10")).limits("response_timeout_ms = 300"),
        case(
            "deaf-client",
            "hostile",
            own(|arena, case| deaf(arena, case).boxed_local()),
        )
        .limits("response_idle_timeout_ms = 300"),
        case("injected-field", "hostile", status("/inject", 500)),
        case(
            "injected-field-of-a-101",
            "hostile",
            own(|arena, case| injected(arena, case).boxed_local()),
        ),
        case(
            "smuggled-response",
            "hostile",
            own(|arena, case| smuggled(arena, case).boxed_local()),
        ),
        case("switched-protocols", "hostile", status("/status/101", 500)),
        case("many-fields", "hostile", status("/fields-of/10000/20", 500)),
        case(
            "large-fields",
            "hostile",
            status("/fields-of/100/10000", 500),
        ),
    ];
    let_loose(cases, "").await;
}

/// A client that reads nothing loses its connection, and the guest its event.
async fn deaf(arena: &Arena, case: &Case) -> Ended {
    let mut client = arena.raw(case, "/endless").await;
    client.head().await;
    let closed = client.is_broken().await;
    ended(closed, "the connection stays")
}

async fn injected(arena: &Arena, case: &Case) -> Ended {
    let request = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
                   sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let mut client = arena.raw_with(case, "/?inject=1", request).await;
    let head = client.head().await;
    let is_refused = head.starts_with("HTTP/1.1 500") && !head.contains("injected");
    ended(is_refused, head)
}

/// Whoever reads by the lengths finds the answer to his next request, and not
/// what the guest has written behind its own.
async fn smuggled(arena: &Arena, case: &Case) -> Ended {
    for length in [0, 8, 63] {
        let mut client = arena.raw(case, &format!("/lie/{length}")).await;
        arena.ask_raw(&mut client, case, "/status/404").await;
        let answer = client.rest().await;
        let answer = String::from_utf8_lossy(&answer);
        // Nothing at all is as good as the right answer, and so is nothing more.
        let (_, rest) = answer.split_once("\r\n\r\n").unwrap_or_default();
        let next = rest.get(length..).unwrap_or_default();
        let is_well = next.is_empty() || next.starts_with("HTTP/1.1 404");
        ended(is_well, (length, answer))?;
    }
    Ok(())
}
