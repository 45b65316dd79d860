//! Old generations go, and all that is theirs.

use std::rc::Rc;

use holdfast_core::deploy::Strategy;

use super::guest::Guest;
use super::stage::{Stage, until};
use crate::Role;

#[test]
fn an_old_generation_goes_at_once_if_nobody_needs_it() {
    for is_waiting in [false, true] {
        let stage = Stage::new();
        let guest = |name| Guest::new(name).waiting(is_waiting);
        stage.deploy(1, guest("one"), Strategy::All);
        stage.edge.open(7, 1, "a");
        stage.on_loop(async |it| {
            assert_eq!(it.message(7, "").await, "one:a");
            assert_eq!(it.message(7, "").await, "one:a");
            stage.deploy(2, guest("two"), Strategy::All);
            // Its warm instance goes without another event.
            until(|| !stage.runtime.has_old()).await;
            assert_eq!(stage.generations(), [(2, Role::Stable)]);
            assert_eq!(it.message(7, "").await, "two:a");
        });
    }
}

#[test]
fn an_event_under_way_ends_where_it_began() {
    for is_waiting in [false, true] {
        let stage = Stage::new();
        let guest = |name| Guest::new(name).waiting(is_waiting);
        stage.deploy(1, guest("one"), Strategy::All);
        stage.edge.open(7, 1, "a");
        stage.edge.open(8, 1, "a");
        stage.on_loop(async |it| {
            let it = Rc::new(it);
            let spinner = tokio::task::spawn_local({
                let it = it.clone();
                async move { it.message(7, "spin").await }
            });
            tokio::task::yield_now().await;
            stage.deploy(2, guest("two"), Strategy::All);
            assert_eq!(it.message(8, "").await, "two:a", "others don't wait");
            assert_eq!(stage.generations(), [(2, Role::Stable), (1, Role::Old)]);
            assert!(stage.runtime.has_old());
            assert_eq!(spinner.await.unwrap(), "timeout");
            until(|| !stage.runtime.has_old()).await;
        });
    }
}

#[test]
fn an_old_generation_stays_for_those_who_might_have_to() {
    let stage = Stage::new();
    stage.deploy(1, Guest::new("one"), Strategy::All);
    stage.edge.open(7, 1, "a");
    stage.on_loop(async |it| {
        stage.deploy(2, Guest::new("two").format("v2"), Strategy::All);
        stage.runtime.tidy();
        assert_eq!(stage.generations(), [(2, Role::Stable), (1, Role::Old)]);
        assert_eq!(it.message(7, "").await, "two:v2+a");
        stage.runtime.tidy();
        until(|| !stage.runtime.has_old()).await;
    });
}

#[test]
fn nothing_is_left_of_many_generations() {
    for is_waiting in [false, true] {
        let stage = Stage::new();
        stage.deploy(1, Guest::new("one").waiting(is_waiting), Strategy::All);
        stage.edge.open(7, 1, "a");
        stage.edge.open(8, 1, "a");
        stage.on_loop(async |it| {
            for number in 2..80 {
                let name = if number % 2 == 0 { "two" } else { "one" };
                let format = if number % 3 == 0 { "v1" } else { "v2" };
                let guest = Guest::new(name).waiting(is_waiting);
                let guest = if number % 7 == 0 {
                    guest
                } else {
                    guest.format(format)
                };
                stage.deploy(number, guest, Strategy::All);
                assert!(it.message(7, "").await.starts_with(name));
                stage.edge.open(7, number, "a");
            }
            assert!(it.message(8, "").await.starts_with("one:"));
            stage.runtime.tidy();
            until(|| !stage.runtime.has_old()).await;
            assert_eq!(stage.generations(), [(79, Role::Stable)]);
        });
    }
}

#[test]
fn an_event_loop_ends_with_all_that_is_in_it() {
    for is_waiting in [false, true] {
        let stage = Stage::new();
        stage.deploy(1, Guest::new("one").waiting(is_waiting), Strategy::All);
        stage.edge.open(7, 1, "a");
        stage.on_loop(async |it| assert_eq!(it.message(7, "").await, "one:a"));
        stage.runtime.remove(super::stage::PLUGIN);
        assert!(stage.generations().is_empty());
    }
}
