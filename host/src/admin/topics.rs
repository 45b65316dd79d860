//! The topics of a tenant.

use holdfast_core::Edge;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::connections::Content;
use super::failure::Failure;
use super::request::Page;
use super::tenants::no_tenant;
use crate::fleet::{Closed, Handle};

/// A part of a tenant's topics.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct TopicPage {
    /// By their names.
    topics: Vec<TopicAnswer>,
    /// How many the tenant has.
    count: u32,
    /// The cursor of the next part; null if this is the last.
    next: Option<String>,
}

/// A topic that has subscribers.
#[derive(Debug, Serialize, JsonSchema)]
struct TopicAnswer {
    name: String,
    /// WebSockets that are subscribed to it.
    subscribers: u32,
}

/// The body of a request to publish.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PublishRequest {
    /// The topic's name.
    topic: String,
    message: Content,
}

/// What has become of a message that was published.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct PublishAnswer {
    /// WebSockets in whose queue it is.
    queued: u32,
    /// WebSockets whose queue was full.
    full: u32,
}

/// Answers for a page of topics.
pub(super) async fn list(fleet: &Handle, tenant: &str, page: Page) -> Result<TopicPage, Failure> {
    fleet.tenant(tenant).ok_or_else(|| no_tenant(tenant))?;
    let Some(id) = fleet.tenant_id(tenant) else {
        // It has no plugin.
        return Ok(TopicPage {
            topics: Vec::new(),
            count: 0,
            next: None,
        });
    };
    let (hub, limit) = (fleet.hub.clone(), page.limit);
    let count = hub.topic_count(id);
    let after = page.after.clone();
    let find = move || hub.topics_of(id, after.as_deref(), limit);
    // It looks at all of them, and this thread accepts connections.
    let found = tokio::task::spawn_blocking(find).await;
    let found = found.map_err(|_| Closed)?;
    let last = found.last().map(|(name, _)| name.to_string());
    let topics = found.iter().map(|(name, subscribers)| TopicAnswer {
        name: name.to_string(),
        subscribers: *subscribers,
    });
    Ok(TopicPage {
        topics: topics.collect(),
        count,
        next: page.next(found.len(), last),
    })
}

/// Publishes. A topic without subscribers is none.
pub(super) fn publish(
    fleet: &Handle,
    tenant: &str,
    PublishRequest { topic, message }: PublishRequest,
) -> Result<PublishAnswer, Failure> {
    fleet.tenant(tenant).ok_or_else(|| no_tenant(tenant))?;
    let payload = message.payload()?;
    let delivery = match fleet.tenant_id(tenant) {
        Some(id) => fleet.hub.publish(id, &topic, payload.message(), None),
        None => Default::default(),
    };
    Ok(PublishAnswer {
        queued: delivery.queued,
        full: delivery.full,
    })
}
