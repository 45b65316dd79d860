//! Attachments in another format.

use holdfast_core::deploy::Strategy;

use super::guest::Guest;
use super::stage::{PLUGIN, Stage};
use crate::{GenerationStatus, Role};

const TRAP: &str = "the guest trapped: wasm trap: wasm `unreachable` instruction executed";

fn status(stage: &Stage, number: u32) -> GenerationStatus {
    let generations = stage.runtime.generations(PLUGIN);
    let found = generations.into_iter().find(|it| it.number == number);
    found.unwrap()
}

#[test]
fn an_attachment_is_migrated_before_the_first_event() {
    for is_waiting in [false, true] {
        let stage = Stage::new();
        let guest = |name| Guest::new(name).waiting(is_waiting);
        stage.deploy(1, guest("one"), Strategy::All);
        stage.edge.open(7, 1, "a");
        stage.on_loop(async |it| {
            stage.deploy(2, guest("two").format("v2"), Strategy::All);
            assert_eq!(it.message(7, "").await, "two:v2+a");
            assert_eq!(stage.edge.seen(7), (2, "v2+a".into(), 1));
            assert_eq!(it.message(7, "").await, "two:v2+a", "once");
            stage.deploy(3, guest("three").format("v2"), Strategy::All);
            assert_eq!(it.message(7, "").await, "three:v2+a", "the same format");
            stage.deploy(4, guest("four").format("v4"), Strategy::All);
            assert_eq!(it.close(7).await, "four:v4+v2+a");
        });
        assert_eq!(status(&stage, 4).events, 1, "a migration is no event");
    }
}

#[test]
fn an_attachment_goes_as_it_is_where_nothing_can_migrate_it() {
    let stage = Stage::new();
    stage.deploy(1, Guest::new("one").format("v1"), Strategy::All);
    stage.edge.open(7, 1, "a");
    stage.on_loop(async |it| {
        stage.deploy(2, Guest::new("two"), Strategy::All);
        assert_eq!(it.message(7, "").await, "two:a");
    });
}

#[test]
fn a_connection_stays_where_its_attachment_is_understood() {
    for (is_waiting, attachment, error) in [
        (false, "no", "no"),
        (false, "trap", TRAP),
        (false, "spin", "the guest did not finish within 200 ms"),
        (true, "no", "no"),
        (true, "trap", TRAP),
        (true, "spin", "the guest did not finish within 200 ms"),
    ] {
        let stage = Stage::new();
        let guest = |name| Guest::new(name).waiting(is_waiting);
        stage.deploy(1, guest("one"), Strategy::All);
        stage.edge.open(7, 1, attachment);
        stage.edge.open(8, 1, "a");
        stage.on_loop(async |it| {
            stage.deploy(2, guest("two").format("v2"), Strategy::All);
            for _ in 0..3 {
                assert_eq!(it.message(7, "").await, format!("one:{attachment}"));
            }
            assert_eq!(it.message(8, "").await, "two:v2+a");
            stage.runtime.tidy();
            assert_eq!(it.message(7, "").await, format!("one:{attachment}"));
            let two = status(&stage, 2);
            assert_eq!(two.migrations_failed, 1, "not tried again");
            let last = two.last_migration_error.unwrap();
            assert_eq!(last, error);
            assert_eq!(stage.edge.seen(7), (1, attachment.into(), 0));
            // The next change tries it again.
            stage.deploy(3, guest("three"), Strategy::All);
            assert_eq!(it.message(7, "").await, format!("three:{attachment}"));
        });
    }
}

#[test]
fn an_attachment_that_becomes_too_large_is_not_migrated() {
    let stage = Stage::new();
    let long = "a".repeat(99).leak();
    stage.deploy(1, Guest::new("one"), Strategy::All);
    stage.edge.open(7, 1, long);
    stage.on_loop(async |it| {
        stage.deploy(2, Guest::new("two").format("v2"), Strategy::All);
        assert_eq!(it.message(7, "").await, format!("one:{long}"));
    });
    let error = status(&stage, 2).last_migration_error.unwrap();
    assert_eq!(error, "migrated: the attachment is larger than 100 bytes");
}

#[test]
fn a_change_that_comes_between_is_not_lost() {
    let stage = Stage::new();
    stage.deploy(1, Guest::new("one"), Strategy::All);
    stage.edge.open(7, 1, "a");
    stage.on_loop(async |it| {
        stage.deploy(2, Guest::new("two").format("v2"), Strategy::All);
        stage.edge.set_rivals(2);
        assert_eq!(it.message(7, "").await, "two:v2+rival0");
        assert_eq!(stage.edge.seen(7), (2, "v2+rival0".into(), 3));
    });
    assert_eq!(status(&stage, 2).migrations_failed, 0);
}

#[test]
fn too_many_changes_put_a_migration_off() {
    let stage = Stage::new();
    stage.deploy(1, Guest::new("one"), Strategy::All);
    stage.edge.open(7, 1, "a");
    stage.on_loop(async |it| {
        stage.deploy(2, Guest::new("two").format("v2"), Strategy::All);
        stage.edge.set_rivals(5);
        assert_eq!(it.message(7, "").await, "one:rival1");
        assert_eq!(
            it.message(7, "").await,
            "two:v2+rival0",
            "at its next event"
        );
    });
    assert_eq!(status(&stage, 2).migrations_failed, 0);
}

#[test]
fn the_format_is_that_of_the_code_which_wrote() {
    let stage = Stage::new();
    stage.deploy(1, Guest::new("one").format("v1"), Strategy::All);
    stage.edge.open(7, 1, "a");
    // Nobody is needed for it: it has no way to migrate.
    stage.deploy(2, Guest::new("two"), Strategy::All);
    assert_eq!(stage.generations(), [(2, Role::Stable)]);
    stage.deploy(3, Guest::new("three").format("v1"), Strategy::All);
    stage.on_loop(async |it| {
        assert_eq!(it.message(7, "").await, "three:a", "still of that format");
    });
}
