//! Guests that take time, or fail at once and again.

use super::arena::{broken, case, close, let_loose, status, text};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_takes_time_gets_no_more_than_his_share() {
    let cases = vec![
        case("loop-in-a-message", "plain", close("spin", 1011)),
        case("loop-in-a-request", "hostile", status("/act/spin", 504)),
        case("short-slices", "hostile", status("/hog", 504)).limits("instance_events_max = 1"),
        case("background", "hostile", text("/background", "on its way")),
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
        case("fill", "hostile", status("/fill/100000000", 504)).limits("instance_events_max = 1"),
        case("copy", "hostile", status("/copy/50000000", 504)).limits("instance_events_max = 1"),
    ];
    let_loose(cases, "").await;
}
