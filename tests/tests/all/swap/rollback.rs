//! Back to the code before: by itself when new code fails, or when told to.

use holdfast_tests::build::Build;
use holdfast_tests::http::get;
use holdfast_tests::setup::Setup;
use holdfast_tests::socket::{End, Socket};
use holdfast_tests::wait::found;

use super::version_at;

in_both_forms!(
    code_that_traps_is_given_up,
    code_that_takes_too_long_is_given_up,
    errors_of_handlers_are_no_reason,
    a_rollback_stays,
    a_rollback_goes_to_any_digest_that_is_kept,
);

fn setup(form: &str) -> Setup {
    Setup::of_build(&Build::new(form, 1))
        .limit("event_timeout_ms", 1000)
        .deploy("probation_events", 10)
        .deploy("probation_failed_percent", 50)
}

/// Deploys a version 2 that fails at every event, and waits until it is given
/// up, while a socket is open. What the clients see of it is `status`.
async fn is_given_up(form: &str, mood: &str, status: u16) {
    let host = setup(form).start().await;
    let mut socket = Socket::open(&host, "/").await;
    host.put(&Build::new(form, 2).mood(mood));
    found("the new code to fail", async || {
        let response = get(&host, "/version").await;
        (response.status == status).then_some(())
    })
    .await;
    let mut failed = 1;
    found("the old code to come back", async || {
        let response = get(&host, "/version").await;
        failed += u32::from(response.status == status);
        (response.status == 200).then(|| assert_eq!(response.text(), "1"))
    })
    .await;
    assert!(
        (6..=10).contains(&failed),
        "given up after {failed} failures"
    );
    assert_eq!(version_at(&mut socket).await, 1);
    let plugin = host.settles().await;
    let why = plugin.error().expect("status says why").to_string();
    assert!(!why.is_empty());
    // Nothing brings it back: the same file is looked at again.
    host.ask(&["reload"]).await;
    host.serves(1).await;
    assert_eq!(host.settles().await.generation(), plugin.generation());
    // Until it is mended.
    host.switch(form, 3).await;
    assert_eq!(version_at(&mut socket).await, 3);
    assert_eq!(host.settles().await.error(), None);
    host.stop().await;
}

async fn code_that_traps_is_given_up(form: &str) {
    is_given_up(form, "trap", 500).await;
}

async fn code_that_takes_too_long_is_given_up(form: &str) {
    is_given_up(form, "spin", 504).await;
}

async fn errors_of_handlers_are_no_reason(form: &str) {
    let host = setup(form).start().await;
    host.put(&Build::new(form, 2).mood("fail"));
    host.becomes("the new code", |plugin| plugin.generation() == 2)
        .await;
    for _ in 0..20 {
        assert_eq!(get(&host, "/version").await.status, 500);
    }
    let plugin = host.settles().await;
    assert_eq!(plugin.generation(), 2);
    assert_eq!(plugin.generations()[0].failed, 0);
    // As if a person had seen it, and went back.
    host.ask(&["rollback", "fixture"]).await;
    host.serves(1).await;
    host.stop().await;
}

async fn a_rollback_stays(form: &str) {
    let host = setup(form).start().await;
    let mut socket = Socket::open(&host, "/").await;
    let nothing = host.say(&["rollback", "fixture"]).await;
    assert!(!nothing.status.success(), "there is nothing to go back to");
    let first = host.fixture().await.digest();
    host.switch(form, 2).await;
    assert_eq!(version_at(&mut socket).await, 2);
    host.ask(&["rollback", "fixture"]).await;
    host.serves(1).await;
    assert_eq!(version_at(&mut socket).await, 1);
    let plugin = host.settles().await;
    assert_eq!(plugin.digest(), first);
    assert_eq!(plugin.generation(), 3, "numbers are never used again");
    host.ask(&["reload"]).await;
    host.serves(1).await;
    host.switch(form, 3).await;
    assert_eq!(version_at(&mut socket).await, 3);
    let end = socket.close(1000, "").await;
    assert_eq!(end, End::Closed(1000, String::new()));
    host.stop().await;
}

async fn a_rollback_goes_to_any_digest_that_is_kept(form: &str) {
    let host = setup(form).deploy("generations_kept", 2).start().await;
    let mut digests = vec![host.fixture().await.digest()];
    for version in 2..=4 {
        host.switch(form, version).await;
        digests.push(host.fixture().await.digest());
    }
    let forgotten = host
        .say(&["rollback", "fixture", "--to", &digests[0]])
        .await;
    assert!(!forgotten.status.success(), "two are kept");
    host.serves(4).await;
    host.ask(&["rollback", "fixture", "--to", &digests[1][..12]])
        .await;
    host.serves(2).await;
    assert_eq!(host.settles().await.digest(), digests[1]);
    host.stop().await;
}
