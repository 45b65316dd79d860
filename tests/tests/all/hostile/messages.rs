//! Guests that say too much, to too many, or in another's name.

use std::time::Duration;

use futures_util::FutureExt;
use holdfast_tests::socket::End;

use super::arena::{Arena, Case, Ended, answer, case, close, ended, let_loose, own};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_says_too_much_is_not_heard() {
    let cases = vec![
        case("guessed-ids", "hostile", answer("guess 2000", "reached 0")),
        case(
            "storm",
            "hostile",
            own(|arena, case| storm(arena, case).boxed_local()),
        ),
        case(
            "huge-message",
            "hostile",
            answer("send-bytes 5000000", "the message is over"),
        ),
        case(
            "log-flood",
            "hostile",
            own(|arena, case| flood(arena, case).boxed_local()),
        )
        .limits("log_bytes_per_second_max = 10000"),
        case(
            "log-forgery",
            "hostile",
            own(|arena, case| forgery(arena, case).boxed_local()),
        ),
        case(
            "log-of-traps",
            "names.wat",
            own(|arena, case| traps(arena, case).boxed_local()),
        )
        .limits("log_bytes_per_second_max = 10000"),
        case(
            "trap-in-accept",
            "hostile",
            own(|arena, case| in_accept(arena, case).boxed_local()),
        ),
        case(
            "trap-in-close",
            "plain",
            own(|arena, case| in_close(arena, case).boxed_local()),
        ),
        case(
            "endless-close",
            "plain",
            own(|arena, case| in_close(arena, case).boxed_local()),
        ),
        case("leaving", "hostile", close("leave 4000 bye", 4000)),
    ];
    let_loose(cases, "").await;
}

/// Nobody reads what is published, and the storm is ended.
async fn storm(arena: &Arena, case: &Case) -> Ended {
    const SUBSCRIBERS: usize = 100;
    let mut subscribers = Vec::new();
    for _ in 0..SUBSCRIBERS {
        subscribers.push(arena.socket(case, "/?topic=storm").await);
    }
    let mut source = arena.socket(case, "/").await;
    source.send("storm storm 1000000 10000").await;
    let end = source.end().await;
    ended(matches!(end, End::Closed(1011, _)), end)
}

/// What is in the log is what may be there, and others have their lines.
async fn flood(arena: &Arena, case: &Case) -> Ended {
    let before = arena.host.log().len();
    let mut socket = arena.socket(case, "/").await;
    for _ in 0..10 {
        ended(socket.ask("lines 1000 100").await == "written", "no answer")?;
    }
    bounded(arena, before).await
}

/// As much as there may be at once, and in some seconds, with names and times.
const LOG_BYTES_MAX: usize = 200_000;

async fn bounded(arena: &Arena, before: usize) -> Ended {
    let written = arena.host.log().len() - before;
    ended(written < LOG_BYTES_MAX, written)?;
    arena.says_in_the_log("the neighbour is heard").await;
    Ok(())
}

async fn forgery(arena: &Arena, case: &Case) -> Ended {
    const LINE: &str = "2026-01-01T00:00:00.000000Z ERROR guest: forged tenant=neighbour";
    let mut socket = arena.socket(case, "/").await;
    ended(
        socket.ask(&format!("forge {LINE}")).await == "forged",
        "no answer",
    )?;
    // It is there, but in a line that says whose it is.
    arena
        .host
        .logged(&["harmless", "forged", "log-forgery"])
        .await;
    let log = arena.host.log();
    let mut forged = log.lines().filter(|line| line.contains("forged"));
    let is_seen = |line: &str| line.starts_with("2026-01-01") || line.contains('\u{1b}');
    ended(!forged.any(is_seen), log)
}

/// A trap is told with the names of the functions, which are the guest's words.
async fn traps(arena: &Arena, case: &Case) -> Ended {
    let before = arena.host.log().len();
    for _ in 0..300 {
        let response = arena.get(case, "/").await;
        ended(response.status == 500, response)?;
    }
    arena.host.logged(&["forged", "log-of-traps"]).await;
    let log = arena.host.log();
    let forged = log.lines().any(|line| line.starts_with("2026-01-01"));
    ended(!forged, "a forged line")?;
    bounded(arena, before).await
}

async fn in_accept(arena: &Arena, case: &Case) -> Ended {
    for (word, status) in [("trap", 500), ("spin", 504)] {
        let refusal = arena.offer(case, &format!("/?accept={word}")).await;
        let got = refusal.err().map(|refusal| refusal.status().as_u16());
        ended(got == Some(status), (word, got))?;
    }
    Ok(())
}

/// The client has its answer whatever the guest makes of the end.
async fn in_close(arena: &Arena, case: &Case) -> Ended {
    let word = if case.name.starts_with("trap") {
        "trap"
    } else {
        "spin"
    };
    for _ in 0..20 {
        let mut socket = arena.socket(case, &format!("/?close={word}")).await;
        let closing = tokio::time::timeout(Duration::from_secs(5), socket.close(1000, ""));
        let end = closing.await.map_err(|_| "no answer to a close frame")?;
        ended(matches!(end, End::Closed(1000, _)), end)?;
    }
    Ok(())
}
