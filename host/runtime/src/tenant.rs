//! What all plugins of a tenant share, on all event loops.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use holdfast_core::TenantId;
use holdfast_core::limits::TenantLimits;

/// One tenant.
pub(crate) struct Tenant {
    pub(crate) id: TenantId,
    weight: AtomicU32,
}

impl Tenant {
    fn new(id: TenantId) -> Self {
        Self {
            id,
            weight: AtomicU32::new(0),
        }
    }

    /// See [`TenantLimits::weight`].
    pub(crate) fn weight(&self) -> u32 {
        self.weight.load(Ordering::Relaxed)
    }

    fn set(&self, limits: &TenantLimits) {
        self.weight.store(limits.weight, Ordering::Relaxed);
    }
}

/// All tenants that have a plugin.
#[derive(Default)]
pub(crate) struct Tenants(Mutex<HashMap<TenantId, Weak<Tenant>>>);

impl Tenants {
    /// A tenant, to which these limits apply from now on.
    pub(crate) fn get(&self, id: TenantId, limits: &TenantLimits) -> Arc<Tenant> {
        let mut tenants = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = tenants.get(&id).and_then(Weak::upgrade);
        let tenant = known.unwrap_or_else(|| {
            tenants.retain(|_, tenant| tenant.strong_count() > 0);
            let tenant = Arc::new(Tenant::new(id));
            tenants.insert(id, Arc::downgrade(&tenant));
            tenant
        });
        tenant.set(limits);
        tenant
    }
}
