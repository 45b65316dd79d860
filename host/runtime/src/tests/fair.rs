//! Tenants that share an event loop.

use std::time::{Duration, Instant};

use futures_util::future::{join_all, select};
use holdfast_core::limits::TenantLimits;
use holdfast_core::{PluginId, TenantId};

use super::guest::Guest;
use super::stage::{Loop, Neighbour, Stage};

/// Guests of one tenant that compute at the same time.
const SPINNERS: u128 = 10;

fn neighbour(number: u32, weight: u32) -> Neighbour {
    Neighbour {
        plugin: PluginId(number),
        tenant: TenantId(number),
        limits: TenantLimits {
            weight,
            ..TenantLimits::default()
        },
    }
}

/// Two tenants with these weights. The connections of each have its number in
/// hundreds.
fn stage(weights: [u32; 2], is_waiting: bool) -> Stage {
    let stage = Stage::new();
    for (number, weight) in (1..).zip(weights) {
        let guest = Guest::new("guest").waiting(is_waiting);
        stage.deploy_to(&neighbour(number, weight), guest);
        for index in 0..SPINNERS {
            stage.edge.open(u128::from(number) * 100 + index, 1, "");
        }
    }
    stage
}

/// Has the tenant's guests compute for so long, all at the same time.
async fn spin(event_loop: &Loop, tenant: u32, time: Duration) {
    let end = Instant::now() + time;
    let spinners = (0..SPINNERS).map(|index| async move {
        while Instant::now() < end {
            let id = u128::from(tenant) * 100 + index;
            event_loop.message_to(PluginId(tenant), id, "s").await;
        }
    });
    join_all(spinners).await;
}

fn cpu_ns(stage: &Stage, tenant: u32) -> u64 {
    let generations = stage.runtime.generations(PluginId(tenant));
    generations.iter().map(|it| it.cpu_ns).sum()
}

/// For how long this thread could have run, and got no processor (`schedstat`):
/// the machine may do much else.
fn delay_ns() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let second = text.split_whitespace().nth(1);
    second.and_then(|it| it.parse().ok()).unwrap_or(0)
}

#[test]
fn tenants_compute_by_weight() {
    for is_waiting in [false, true] {
        let stage = stage([300, 100], is_waiting);
        let all_ns = || [1, 2].map(|tenant| cpu_ns(&stage, tenant));
        let (before, delay_ns) = stage.on_loop(async |event_loop| {
            let both = async |time| join_all([1, 2].map(|it| spin(&event_loop, it, time))).await;
            // Instances are made, which is nobody's computing.
            both(Duration::from_millis(100)).await;
            let (before, delay) = (all_ns(), delay_ns());
            both(Duration::from_millis(800)).await;
            (before, delay_ns() - delay)
        });
        let after = all_ns();
        let [first, second] = [0, 1].map(|it| after[it] - before[it]);
        let ratio = first as f64 / second as f64;
        assert!((2.2..4.0).contains(&ratio), "{first} {second}");
        // Nothing is left unused.
        let most = 800_000_000_u64.saturating_sub(delay_ns);
        assert!(first + second > most / 8 * 7, "{first} {second} of {most}");
    }
}

#[test]
fn short_events_come_before_those_of_a_tenant_that_only_computes() {
    for is_waiting in [false, true] {
        let stage = stage([100, 100], is_waiting);
        let mut times = stage.on_loop(async |event_loop| {
            let mut times = Vec::new();
            let short = async {
                loop {
                    let begin = Instant::now();
                    let answer = event_loop.message_to(PluginId(2), 200, "m").await;
                    assert_eq!(answer, "guest:");
                    times.push(begin.elapsed());
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            };
            let long = spin(&event_loop, 1, Duration::from_millis(800));
            select(std::pin::pin!(long), std::pin::pin!(short)).await;
            times
        });
        times.sort();
        // One after the other, the others' slices would take ten times as long.
        let median = times[times.len() / 2];
        assert!(median < Duration::from_millis(5), "{median:?}");
        assert!(times.len() > 20, "{}", times.len());
    }
}

#[test]
fn an_event_without_a_turn_is_turned_away_at_its_deadline() {
    for is_waiting in [false, true] {
        let stage = stage([10_000, 1], is_waiting);
        let answer = stage.on_loop(async |event_loop| {
            let rest = async {
                // Uses up what the tenant has.
                event_loop.message_to(PluginId(2), 200, "s").await;
                event_loop.message_to(PluginId(2), 201, "m").await
            };
            let hog = spin(&event_loop, 1, Duration::from_millis(1000));
            let (answer, ()) = tokio::join!(rest, hog);
            answer
        });
        assert!(answer.contains("share of the processor"), "{answer}");
    }
}
