//! What operators see of connections and topics, and what they do to all
//! connections of a plugin. Nothing here is on the way of an event.

use std::sync::Arc;

use holdfast_core::event::CloseCause;
use holdfast_core::{ConnectionId, PluginId, TenantId};

use crate::connection::{ConnectionView, closure};
use crate::hub::Hub;

impl Hub {
    /// At most `limit` connections of a plugin, those in their handshake included,
    /// from behind the one with the id `after` on. Their order is arbitrary and
    /// never changes, so that whoever is there all the time is seen once.
    ///
    /// Looks at many connections of the host, some thousands at a time.
    pub fn connections(
        &self,
        plugin: PluginId,
        after: Option<ConnectionId>,
        limit: usize,
    ) -> Vec<ConnectionView> {
        let page = self.registry().page(plugin, after, limit);
        page.iter().map(|connection| connection.view()).collect()
    }

    /// One connection of a plugin, and its topics.
    pub fn connection_of(
        &self,
        tenant: TenantId,
        plugin: PluginId,
        id: ConnectionId,
    ) -> Option<(ConnectionView, Vec<Arc<str>>)> {
        let connection = self.connection(tenant, id)?;
        (connection.plugin == plugin).then(|| (connection.view(), connection.topics()))
    }

    /// At most `limit` topics of a tenant with their numbers of subscribers, in
    /// the order of their names, from behind `after` on. Looks at all topics of
    /// the tenant.
    pub fn topics_of(
        &self,
        tenant: TenantId,
        after: Option<&str>,
        limit: usize,
    ) -> Vec<(Arc<str>, u32)> {
        self.topics().page(tenant, after, limit)
    }

    /// How many topics a tenant has.
    pub fn topic_count(&self, tenant: TenantId) -> u32 {
        self.topics().total(tenant)
    }

    /// Whether a plugin takes no new WebSockets: a handshake gets 503 then. That
    /// ends also when the plugin is removed. True if it was otherwise before.
    pub fn set_draining(&self, plugin: PluginId, is_draining: bool) -> bool {
        self.tally().set_draining(plugin, is_draining)
    }

    /// See [`Self::set_draining`].
    pub fn is_draining(&self, plugin: PluginId) -> bool {
        self.tally().is_draining(plugin)
    }

    /// Closes the next connections of a plugin, `limit` at most, with the
    /// [drain code](Self::set_drain_code), cause `drain`. Returns the last that was looked at, behind which to go on, and
    /// how many are closed by this; none if there are no more.
    pub fn drain_some(
        &self,
        plugin: PluginId,
        after: Option<ConnectionId>,
        limit: usize,
    ) -> Option<(ConnectionId, usize)> {
        let page = self.registry().page(plugin, after, limit);
        let last = page.last()?.key.id;
        let code = self.drain_code();
        let close = |it: &&Arc<crate::connection::Connection>| {
            it.close(closure(CloseCause::Drain, code, "the plugin is drained"))
        };
        Some((last, page.iter().filter(close).count()))
    }
}
