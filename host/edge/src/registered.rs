//! A connection's place in what the event loops share.

use std::sync::Arc;

use crate::connection::Connection;
use crate::hub::Hub;

/// A connection that is in the registry and counted for as long as this lives.
pub(crate) struct Registered {
    hub: Arc<Hub>,
    pub(crate) connection: Arc<Connection>,
    ended: bool,
}

impl Registered {
    /// For a connection that has just been entered.
    pub(crate) fn new(hub: Arc<Hub>, connection: Arc<Connection>) -> Self {
        Self {
            hub,
            connection,
            ended: false,
        }
    }

    /// Takes the connection out of the registry and of its topics.
    pub(crate) fn end(&mut self) {
        if !std::mem::replace(&mut self.ended, true) {
            self.hub.unregister(&self.connection);
        }
    }

    /// The plugin has no more to do with the connection: it is not counted any
    /// longer. A plugin that has been removed stays loaded until then.
    pub(crate) fn leave(&mut self) {
        let connection = &self.connection;
        let (plugin, tenant) = (connection.plugin, connection.key.tenant);
        let tally = self.hub.tally();
        connection.leave(|generation| tally.leave(plugin, tenant, generation));
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.end();
        self.leave();
    }
}
