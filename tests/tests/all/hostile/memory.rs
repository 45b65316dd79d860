//! Guests that take room.

use super::arena::{Attack, Case, let_loose};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_takes_room_gets_no_more_than_his_own() {
    let cases = vec![
        Case::new(
            "memory-in-a-message",
            "plain",
            Attack::Close("exhaust", 1011),
        ),
        Case::new(
            "memory-in-a-request",
            "hostile",
            Attack::Status("/act/exhaust", 500),
        ),
        Case::new(
            "attachment",
            "hostile",
            Attack::Answer("attach 1000000", "the attachment is over 4096 bytes"),
        ),
        Case::new(
            "topics",
            "hostile",
            Attack::Answer("topics 1000000", "it has 64 topics already"),
        ),
        Case::new(
            "huge-value",
            "hostile",
            Attack::Close("keep 20000000", 1011),
        ),
        Case::new("timers", "hostile", Attack::Status("/timers/1000000", 500)),
        Case::new("fields", "hostile", Attack::Status("/fields/1000000", 500)),
        Case::new(
            "streams",
            "hostile",
            Attack::Status("/streams/1000000", 500),
        ),
        Case::new(
            "buckets",
            "hostile",
            Attack::Status("/buckets/1000000", 500),
        ),
        Case::new(
            "random",
            "hostile",
            Attack::Status("/random/100000000", 500),
        ),
    ];
    let_loose(cases, "").await;
}
