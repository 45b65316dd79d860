//! Who pays for the time that writing takes, and how long it may go on.

use std::time::{Duration, Instant};

use holdfast_core::{Plugins, TenantId};

/// How long sockets are written to before other tasks have their turn.
const CHUNK_TIME: Duration = Duration::from_micros(250);
/// Sockets of one tenant between two looks at the clock, as long as each takes one
/// small frame.
const UNTIMED_LEN: u32 = 16;

/// Who has to pay for the time that writing takes.
pub(super) struct Bill<'a> {
    plugins: &'a dyn Plugins,
    begin: Instant,
    /// What was before has been paid for.
    since: Instant,
    tenant: Option<TenantId>,
    sockets: u32,
}

impl<'a> Bill<'a> {
    pub(super) fn new(plugins: &'a dyn Plugins) -> Self {
        let now = Instant::now();
        Self {
            plugins,
            begin: now,
            since: now,
            tenant: None,
            sockets: 0,
        }
    }

    /// From now on this one pays.
    pub(super) fn note(&mut self, tenant: TenantId) {
        if self.tenant.is_some_and(|before| before != tenant) {
            self.pay();
        }
        self.tenant = Some(tenant);
    }

    /// After each socket: whether others should have their turn.
    pub(super) fn is_long(&mut self) -> bool {
        self.sockets += 1;
        if self.sockets.is_multiple_of(UNTIMED_LEN) {
            self.pay();
        }
        self.since.duration_since(self.begin) >= CHUNK_TIME
    }

    /// These pay together, each the same.
    pub(super) fn share(&mut self, tenants: impl ExactSizeIterator<Item = TenantId>) {
        let now = Instant::now();
        let each = now.duration_since(self.since) / tenants.len().max(1) as u32;
        let mut tenants = tenants.peekable();
        while let Some(tenant) = tenants.next() {
            let mut time = each;
            while tenants.next_if_eq(&tenant).is_some() {
                time += each;
            }
            self.plugins.charge(tenant, time);
        }
        self.since = now;
    }

    /// Looks at the clock.
    pub(super) fn pay(&mut self) {
        let now = Instant::now();
        if let Some(tenant) = self.tenant {
            let time = now.duration_since(self.since);
            self.plugins.charge(tenant, time);
        }
        self.since = now;
    }
}

impl Drop for Bill<'_> {
    fn drop(&mut self) {
        self.pay();
    }
}
