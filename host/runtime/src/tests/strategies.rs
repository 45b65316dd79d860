//! Who gets a new generation.

use holdfast_core::deploy::Strategy;

use super::guest::Guest;
use super::stage::Stage;
use crate::Role;

#[test]
fn all_go_over_at_their_next_event() {
    for is_waiting in [false, true] {
        let stage = Stage::new();
        let guest = |name| Guest::new(name).waiting(is_waiting);
        stage.deploy(1, guest("one"), Strategy::All);
        stage.edge.open(7, 1, "a");
        stage.on_loop(async |it| {
            assert_eq!(it.open(7).await, "one:a");
            assert_eq!(it.message(7, "").await, "one:a");
            stage.deploy(2, guest("two"), Strategy::All);
            assert_eq!(it.accept(8, 1).await, "two:");
            assert_eq!(stage.edge.seen(8), (2, String::new(), 0));
            assert_eq!(it.message(7, "").await, "two:a");
            assert_eq!(stage.edge.seen(7), (2, "a".into(), 0));
            assert_eq!(it.close(7).await, "two:a");
        });
    }
}

#[test]
fn the_forms_of_two_generations_may_differ() {
    let stage = Stage::new();
    stage.deploy(1, Guest::new("plain"), Strategy::All);
    stage.edge.open(7, 1, "a");
    stage.on_loop(async |it| {
        assert_eq!(it.message(7, "").await, "plain:a");
        stage.deploy(2, Guest::new("waiting").waiting(true), Strategy::All);
        assert_eq!(it.message(7, "").await, "waiting:a");
        stage.deploy(3, Guest::new("plain"), Strategy::All);
        assert_eq!(it.message(7, "").await, "plain:a");
    });
}

#[test]
fn a_canary_gets_its_share_until_it_is_promoted() {
    let stage = Stage::new();
    stage.deploy(1, Guest::new("one"), Strategy::Canary(50));
    (0..100).for_each(|id| stage.edge.open(id, 1, ""));
    stage.on_loop(async |it| {
        assert_eq!(
            it.message(3, "").await,
            "one:",
            "the first is for everybody"
        );
        stage.deploy(2, Guest::new("two"), Strategy::Canary(10));
        assert_eq!(stage.generations(), [(1, Role::Stable), (2, Role::Canary)]);
        for id in 0..100 {
            let expected = if id < 10 { "two:" } else { "one:" };
            assert_eq!(it.message(id, "").await, expected);
            assert_eq!(it.message(id, "").await, expected, "always the same ones");
        }
        assert_eq!(it.accept(201, 1).await, "two:");
        assert_eq!(it.accept(250, 2).await, "one:");
        assert!(stage.runtime.promote(super::stage::PLUGIN));
        assert!(!stage.runtime.promote(super::stage::PLUGIN), "none is left");
        assert_eq!(it.message(50, "").await, "two:");
        assert_eq!(it.message(5, "").await, "two:");
    });
}

#[test]
fn the_connections_of_an_abandoned_canary_go_back() {
    let stage = Stage::new();
    // Pinned ones go back, too.
    stage.deploy(1, Guest::new("one"), Strategy::Pin);
    stage.edge.open(5, 1, "a");
    stage.on_loop(async |it| {
        assert_eq!(it.message(5, "").await, "one:a");
        stage.deploy(2, Guest::new("two"), Strategy::Canary(10));
        assert_eq!(it.message(5, "").await, "two:a");
        assert!(stage.runtime.abandon(super::stage::PLUGIN));
        assert!(!stage.runtime.abandon(super::stage::PLUGIN), "none is left");
        assert_eq!(it.message(5, "").await, "one:a");
    });
}

#[test]
fn pinned_connections_stay_until_they_close() {
    let stage = Stage::new();
    stage.deploy(1, Guest::new("one"), Strategy::All);
    stage.edge.open(7, 1, "a");
    stage.on_loop(async |it| {
        stage.deploy(2, Guest::new("two"), Strategy::Pin);
        stage.runtime.tidy();
        assert_eq!(it.message(7, "").await, "one:a");
        assert_eq!(it.accept(8, 1).await, "two:");
        assert_eq!(it.message(8, "").await, "two:");
        assert_eq!(stage.generations(), [(2, Role::Stable), (1, Role::Old)]);
        assert_eq!(it.close(7).await, "one:a");
        assert!(stage.runtime.has_old());
        stage.runtime.tidy();
        super::stage::until(|| !stage.runtime.has_old()).await;
        assert_eq!(stage.generations(), [(2, Role::Stable)]);
    });
}

#[test]
fn a_pinned_connection_without_events_has_the_heir_of_its_generation() {
    let stage = Stage::new();
    stage.deploy(1, Guest::new("one"), Strategy::All);
    stage.edge.open(7, 1, "a");
    stage.deploy(2, Guest::new("two"), Strategy::All);
    stage.deploy(3, Guest::new("three"), Strategy::Pin);
    assert_eq!(stage.generations(), [(3, Role::Stable), (2, Role::Old)]);
    stage.on_loop(async |it| {
        assert_eq!(it.message(7, "").await, "two:a");
        assert_eq!(stage.edge.seen(7).0, 2);
    });
}

#[test]
fn nobody_is_served_by_a_plugin_that_is_removed() {
    let stage = Stage::new();
    stage.deploy(1, Guest::new("one"), Strategy::All);
    stage.edge.open(7, 1, "a");
    stage.on_loop(async |it| {
        assert_eq!(it.message(7, "").await, "one:a");
        stage.runtime.remove(super::stage::PLUGIN);
        let refusal = "the plugin has no handler for this event";
        assert_eq!(it.message(7, "").await, refusal);
        super::stage::until(|| stage.generations().is_empty()).await;
    });
}
