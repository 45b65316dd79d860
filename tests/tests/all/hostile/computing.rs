//! Guests that take time, or fail at once and again.

use std::time::Duration;

use futures_util::FutureExt;
use holdfast_tests::process::processor_time;
use holdfast_tests::wait::found;

use super::arena::{
    Arena, Case, Ended, broken, case, close, ended, let_loose, overdue, own, status, text,
};

/// An event loop with a guest that never waits works all the time.
const PERIOD: Duration = Duration::from_millis(500);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_takes_time_gets_no_more_than_his_share() {
    let cases = vec![
        case("loop-in-a-message", "plain", close("spin", 1011)),
        case("loop-in-a-request", "hostile", overdue("/act/spin")),
        case("short-slices", "hostile", overdue("/hog")).limits("instance_events_max = 1"),
        case(
            "background",
            "hostile",
            own(|arena, case| background(arena, case, "/background").boxed_local()),
        ),
        case("yielding", "hostile", overdue("/yielding")).limits("instance_events_max = 1"),
        case(
            "yields",
            "hostile",
            own(|arena, case| background(arena, case, "/yields").boxed_local()),
        ),
        case("to-itself", "hostile", overdue("/to-itself")).limits("instance_events_max = 1"),
        case("recursion-in-a-message", "plain", close("recurse", 1011)),
        case(
            "recursion-in-a-request",
            "hostile",
            status("/act/recurse", 500),
        ),
        case("trap-in-a-message", "plain", close("trap", 1011)),
        case("trap-in-a-request", "hostile", status("/act/trap", 500)),
        case("trap-with-streams", "hostile", broken("/late/trap")),
        case("loop-behind-a-response", "hostile", broken("/late/spin")),
        case("churn", "hostile", text("/hello", "hello")).limits("instance_uses_max = 1"),
        case("fill", "hostile", overdue("/fill/100000000")).limits("instance_events_max = 1"),
        case("copy", "hostile", overdue("/copy/50000000")).limits("instance_events_max = 1"),
    ];
    let_loose(cases, "").await;
}

/// What goes on behind an answer ends with its instance.
async fn background(arena: &Arena, case: &Case, path: &str) -> Ended {
    let answer = arena.get(case, path).await;
    ended(answer.text() == "on its way", answer)?;
    found("the end of what goes on", async || {
        let before = processor_time(arena.host.pid());
        tokio::time::sleep(PERIOD).await;
        let worked = processor_time(arena.host.pid()).saturating_sub(before);
        (worked < PERIOD / 2).then_some(())
    })
    .await;
    Ok(())
}
