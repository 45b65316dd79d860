//! Guests that take room.

use super::arena::{answer, case, close, let_loose, status, text};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_takes_room_gets_no_more_than_his_own() {
    let cases = vec![
        case("memory-in-a-message", "plain", close("exhaust", 1011)),
        case(
            "memory-in-a-request",
            "hostile",
            status("/act/exhaust", 500),
        )
        .limits("instance_events_max = 1\nmemory_bytes_max = 33554432"),
        case("table", "table.wat", status("/", 500)),
        case(
            "attachment",
            "hostile",
            answer("attach 1000000", "the attachment is over 4096 bytes"),
        ),
        case(
            "topics",
            "hostile",
            answer("topics 1000000", "it has 64 topics already"),
        ),
        case(
            "keys",
            "hostile",
            text(
                "/keys/1000000/100",
                "the key-value store failed: the store is full",
            ),
        )
        .limits("keyvalue_bytes_max = 10000"),
        case("huge-value", "hostile", close("keep 20000000", 1011)),
        case(
            "many-values",
            "hostile",
            text("/values/100000", "Err(HeaderError::SizeExceeded)"),
        ),
        case(
            "bodies-of-bodies",
            "hostile",
            text("/nest/2000", "2000 times"),
        ),
        case(
            "random",
            "hostile",
            text("/random/100000000", "65536 random bytes"),
        ),
    ];
    let_loose(cases, "").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_takes_handles_gets_no_more_than_he_may() {
    let cases = vec![
        case("timers", "hostile", status("/timers/1000000", 500)),
        case("pollables", "pollables.wat", status("/", 500)),
        case("fields", "hostile", status("/fields/1000000", 500)),
        case("fields-0-2", "fields.wat", status("/", 500)),
        case("streams", "hostile", status("/streams/1000000", 500)),
        case("buckets", "hostile", status("/buckets/1000000", 500)),
        case("own-resources", "resources.wat", status("/", 500)),
    ];
    let_loose(cases, "").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_plugins_of_a_tenant_share_its_room() {
    let grow = answer("grow 190000000", "no memory");
    let cases =
        vec![case("memory-of-a-tenant", "hostile", grow).limits("memory_bytes_max = 200000000")];
    let sections = "[tenant.hostile.limits]\nmemory_bytes_max = 160000000\n";
    let_loose(cases, sections).await;
}
