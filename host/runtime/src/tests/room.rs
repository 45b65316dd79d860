//! What tenants have to share: places for instances, and memory.

use futures_util::future::join_all;
use holdfast_core::limits::TenantLimits;
use holdfast_core::{PluginId, TenantId};

use super::guest::Guest;
use super::stage::{Loop, Neighbour, Stage};

/// A plugin of a tenant.
fn deploy(stage: &Stage, plugin: u32, tenant: u32, limits: &TenantLimits, is_waiting: bool) {
    let neighbour = Neighbour {
        plugin: PluginId(plugin),
        tenant: TenantId(tenant),
        limits: limits.clone(),
    };
    stage.deploy_to(&neighbour, Guest::new("guest").waiting(is_waiting));
}

/// Has as many events as that compute at the same time, until their time-out.
async fn spin(event_loop: &Loop, plugin: u32, count: u128) -> Vec<String> {
    let spinners = (0..count).map(|id| event_loop.message_to(PluginId(plugin), id, "s"));
    join_all(spinners).await
}

#[test]
fn a_warm_instance_is_given_up_for_another_plugin_of_the_tenant() {
    for is_waiting in [false, true] {
        let stage = Stage::new();
        let limits = TenantLimits {
            instances_max: 1,
            ..TenantLimits::default()
        };
        deploy(&stage, 1, 1, &limits, is_waiting);
        deploy(&stage, 2, 1, &limits, is_waiting);
        stage.edge.open(0, 1, "");
        stage.on_loop(async |event_loop| {
            for plugin in [1, 2, 1] {
                let answer = event_loop.message_to(PluginId(plugin), 0, "m").await;
                assert_eq!(answer, "guest:");
                let tenant = stage.runtime.tenant(TenantId(1)).unwrap();
                assert_eq!(tenant.instances, 1);
                assert_eq!(tenant.memory_bytes, 64 << 10);
            }
        });
        let tenant = stage.runtime.tenant(TenantId(1)).unwrap();
        assert_eq!((tenant.instances, tenant.memory_bytes), (0, 0));
    }
}

#[test]
fn a_tenant_that_takes_all_places_leaves_some_to_others() {
    for is_waiting in [false, true] {
        let stage = Stage::with_room(10);
        let limits = TenantLimits::default();
        deploy(&stage, 1, 1, &limits, is_waiting);
        deploy(&stage, 2, 2, &limits, is_waiting);
        for id in 0..12 {
            stage.edge.open(id, 1, "");
        }
        stage.on_loop(async |event_loop| {
            let other = async {
                tokio::task::yield_now().await;
                event_loop.message_to(PluginId(2), 0, "m").await
            };
            let (_, answer) = tokio::join!(spin(&event_loop, 1, 12), other);
            assert_eq!(answer, "guest:");
        });
    }
}

#[test]
fn an_event_waits_for_a_place_that_another_tenant_keeps() {
    for is_waiting in [false, true] {
        let stage = Stage::with_room(1);
        let limits = TenantLimits::default();
        deploy(&stage, 1, 1, &limits, is_waiting);
        deploy(&stage, 2, 2, &limits, is_waiting);
        stage.edge.open(0, 1, "");
        stage.on_loop(async |event_loop| {
            // Warm, and then at work.
            for text in ["m", "s"] {
                let first = event_loop.message_to(PluginId(1), 0, text);
                let other = event_loop.message_to(PluginId(2), 0, "m");
                let (_, answer) = match text {
                    "m" => (first.await, other.await),
                    _ => tokio::join!(first, other),
                };
                assert!(answer == "guest:" || text == "s", "{answer}");
            }
            let answer = event_loop.message_to(PluginId(2), 0, "m").await;
            assert_eq!(answer, "guest:");
        });
    }
}

#[test]
fn all_instances_of_a_tenant_share_its_memory() {
    for is_waiting in [false, true] {
        let stage = Stage::new();
        let limits = TenantLimits {
            memory_bytes_max: 64 << 10,
            ..TenantLimits::default()
        };
        deploy(&stage, 1, 1, &limits, is_waiting);
        deploy(&stage, 2, 1, &limits, is_waiting);
        stage.edge.open(0, 1, "");
        stage.on_loop(async |event_loop| {
            let rest = async {
                tokio::task::yield_now().await;
                event_loop.message_to(PluginId(2), 0, "m").await
            };
            let (_, answer) = tokio::join!(spin(&event_loop, 1, 1), rest);
            assert!(answer.contains("as much memory as they may"), "{answer}");
        });
    }
}
