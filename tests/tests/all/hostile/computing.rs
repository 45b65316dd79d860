//! Guests that take time, or fail at once and again.

use super::arena::{Attack, Case, let_loose};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_takes_time_gets_no_more_than_his_share() {
    let cases = vec![
        Case::new("loop-in-a-message", "plain", Attack::Close("spin", 1011)),
        Case::new(
            "loop-in-a-request",
            "hostile",
            Attack::Status("/act/spin", 504),
        ),
        Case::new("short-slices", "hostile", Attack::Status("/hog", 504)),
        Case::new(
            "recursion-in-a-message",
            "plain",
            Attack::Close("recurse", 1011),
        ),
        Case::new(
            "recursion-in-a-request",
            "hostile",
            Attack::Status("/act/recurse", 500),
        ),
        Case::new("trap-in-a-message", "plain", Attack::Close("trap", 1011)),
        Case::new(
            "trap-in-a-request",
            "hostile",
            Attack::Status("/act/trap", 500),
        ),
        Case::new("trap-with-streams", "hostile", Attack::Broken("/late/trap")),
        Case::new(
            "loop-behind-a-response",
            "hostile",
            Attack::Broken("/late/spin"),
        ),
        Case::new("churn", "hostile", Attack::Text("/hello", "hello"))
            .limits("instance_uses_max = 1"),
    ];
    let_loose(cases, "").await;
}
