//! Simulated tenants: each turn lasts as long as the test says.

use super::*;

/// A tenant that always has somebody waiting, and what it has been given.
struct Busy {
    member: Rc<Member<u32>>,
    turn_ns: u64,
    used_ns: u64,
}

impl Busy {
    fn new(id: u32, weight: u32, turn_ns: u64) -> Self {
        Self {
            member: Rc::new(Member::new(id, weight)),
            turn_ns,
            used_ns: 0,
        }
    }
}

/// Lets all of them wait all the time, for so long.
fn run(schedule: &Schedule<u32>, tenants: &mut [Busy], total_ns: u64) {
    let mut passed = 0;
    for tenant in tenants.iter() {
        schedule.wait(&tenant.member, tenant.member.id);
    }
    while passed < total_ns {
        schedule.begin_round();
        loop {
            let id = schedule.next(|_| true).unwrap();
            let tenant = tenants.iter_mut().find(|it| it.member.id == id).unwrap();
            passed += tenant.turn_ns;
            tenant.used_ns += tenant.turn_ns;
            schedule.wait(&tenant.member, id);
            if !schedule.charge(&tenant.member, tenant.turn_ns) {
                break;
            }
        }
    }
    while schedule.next(|_| true).is_some() {}
}

fn is_about(value: u64, expected: u64) -> bool {
    value.abs_diff(expected) <= expected / 50
}

#[test]
fn equal_weights_get_equal_time_however_long_their_turns_are() {
    let schedule = Schedule::default();
    let mut tenants = [
        Busy::new(1, 100, 1_000_000),
        Busy::new(2, 100, 20_000),
        Busy::new(3, 100, 300_000),
    ];
    run(&schedule, &mut tenants, 3_000_000_000);
    for tenant in &tenants {
        assert!(
            is_about(tenant.used_ns, 1_000_000_000),
            "{}",
            tenant.used_ns
        );
    }
}

#[test]
fn time_goes_by_weight() {
    let schedule = Schedule::default();
    let mut tenants = [
        Busy::new(1, 300, 1_000_000),
        Busy::new(2, 100, 1_000_000),
        Busy::new(3, 1, 100_000),
    ];
    run(&schedule, &mut tenants, 4_010_000_000);
    assert!(is_about(tenants[0].used_ns, 3_000_000_000));
    assert!(is_about(tenants[1].used_ns, 1_000_000_000));
    assert!(is_about(tenants[2].used_ns, 10_000_000));
}

#[test]
fn whoever_is_behind_begins_at_once_and_whoever_is_ahead_waits() {
    let schedule = Schedule::default();
    let (hog, other) = (Rc::new(Member::new(1, 100)), Rc::new(Member::new(2, 100)));
    assert!(schedule.may_begin(&hog));
    schedule.charge(&hog, 10_000_000);
    assert!(!schedule.may_begin(&hog), "the round is over");
    schedule.wait(&hog, 1);
    assert!(schedule.may_begin(&other));
    schedule.charge(&other, 100_000_000);
    assert!(!schedule.may_begin(&other), "the hog comes first");
    schedule.begin_round();
    assert_eq!(schedule.next(|_| true), Some(1));
    assert!(!schedule.has_waiting());
}

#[test]
fn nobody_saves_time_up() {
    let schedule = Schedule::default();
    let mut busy = [Busy::new(1, 100, 1_000_000), Busy::new(2, 100, 1_000_000)];
    run(&schedule, &mut busy[..1], 1_000_000_000);
    busy[0].used_ns = 0;
    schedule.begin_round();
    // The second was idle for a second; it is ahead for two turns, not for 500.
    assert!(schedule.may_begin(&busy[1].member));
    run(&schedule, &mut busy, 100_000_000);
    assert!(is_about(busy[0].used_ns, 49_000_000), "{}", busy[0].used_ns);
}

#[test]
fn alone_everything_is_there_for_the_asking() {
    let schedule = Schedule::<u32>::default();
    let member = Rc::new(Member::new(1, 1));
    for _ in 0..1000 {
        schedule.begin_round();
        assert!(schedule.may_begin(&member));
        assert!(!schedule.charge(&member, 1_000_000_000));
    }
}

#[test]
fn those_who_have_gone_are_passed_over() {
    let schedule = Schedule::default();
    let member = Rc::new(Member::new(1, 100));
    for who in 0..3 {
        schedule.wait(&member, who);
    }
    assert_eq!(schedule.next(|who| *who == 2), Some(2));
    assert!(!schedule.has_waiting());
    schedule.wait(&member, 3);
    assert_eq!(schedule.next(|_| false), None);
    assert!(!schedule.has_waiting());
}
