//! What all plugins of a tenant share, on all event loops: memory, and places
//! for instances in the host's [`House`].

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use holdfast_core::TenantId;
use holdfast_core::limits::TenantLimits;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::house::House;

/// One tenant.
pub(crate) struct Tenant {
    pub(crate) id: TenantId,
    weight: AtomicU32,
    memory_bytes: AtomicU64,
    memory_bytes_max: AtomicU64,
    /// One permit for each instance that it may have.
    places: Arc<Semaphore>,
    places_max: Mutex<u32>,
    /// Permits that are out, but are not to come back.
    places_lost: AtomicU32,
    /// Instances it has.
    lodged: AtomicU32,
    /// How many of its events wait for a place.
    waiting: AtomicU32,
    pub(crate) house: Arc<House>,
    /// One permit for each change of the store that waits or is made.
    pub(crate) changes: Arc<Semaphore>,
}

/// Changes of the store that a tenant may have waiting there.
const CHANGES_MAX: usize = 64;

impl Tenant {
    fn new(id: TenantId, house: Arc<House>) -> Self {
        Self {
            id,
            weight: AtomicU32::new(0),
            memory_bytes: AtomicU64::new(0),
            memory_bytes_max: AtomicU64::new(0),
            places: Arc::new(Semaphore::new(0)),
            places_max: Mutex::new(0),
            places_lost: AtomicU32::new(0),
            lodged: AtomicU32::new(0),
            waiting: AtomicU32::new(0),
            house,
            changes: Arc::new(Semaphore::new(CHANGES_MAX)),
        }
    }

    /// See [`TenantLimits::weight`].
    pub(crate) fn weight(&self) -> u32 {
        self.weight.load(Ordering::Relaxed)
    }

    fn set(&self, limits: &TenantLimits) {
        self.weight.store(limits.weight, Ordering::Relaxed);
        self.memory_bytes_max
            .store(limits.memory_bytes_max, Ordering::Relaxed);
        let mut max = self
            .places_max
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if limits.instances_max > *max {
            let more = (limits.instances_max - *max) as usize;
            let lost = take_up_to(&self.places_lost, more as u32) as usize;
            self.places.add_permits(more - lost);
        } else {
            let less = (*max - limits.instances_max) as usize;
            let rest = less - self.places.forget_permits(less);
            self.places_lost.fetch_add(rest as u32, Ordering::Relaxed);
        }
        *max = limits.instances_max;
    }

    /// Linear memory of all its instances, in bytes.
    pub(crate) fn memory_bytes(&self) -> u64 {
        self.memory_bytes.load(Ordering::Relaxed)
    }

    /// How many instances it has.
    pub(crate) fn instances(&self) -> u32 {
        self.lodged.load(Ordering::Relaxed)
    }

    /// Counts memory that an instance wants, if the tenant may have it.
    fn grow(&self, bytes: u64) -> bool {
        let max = self.memory_bytes_max.load(Ordering::Relaxed);
        let grown = |used: u64| used.checked_add(bytes).filter(|used| *used <= max);
        let ordering = Ordering::Relaxed;
        let result = self.memory_bytes.fetch_update(ordering, ordering, grown);
        // What shrinks a limit leaves room for nothing, but takes nothing away.
        result.is_ok() || bytes == 0
    }

    /// A place for one more instance, if there is one at once.
    pub(crate) fn try_lodge(self: &Arc<Self>) -> Option<Lodging> {
        let own = Arc::clone(&self.places).try_acquire_owned().ok()?;
        let is_first = self.instances() == 0;
        let house = self.house.try_enter(is_first)?;
        Some(Lodging::new(self, own, house))
    }

    /// A place for one more instance, waited for if need be.
    pub(crate) async fn lodge(self: &Arc<Self>) -> Option<Lodging> {
        if let Some(lodging) = self.try_lodge() {
            return Some(lodging);
        }
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        let _waiting = Waiting(self);
        if before == 0 {
            self.house.tell_pools();
        }
        let own = Arc::clone(&self.places).acquire_owned().await.ok()?;
        let is_first = self.instances() == 0;
        let house = self.house.enter(is_first).await?;
        Some(Lodging::new(self, own, house))
    }

    /// Whether a place is better given up: another plugin of the tenant waits for
    /// one, or another tenant does and this one has more than its part.
    /// `waiting` are those who can be served without.
    pub(crate) fn is_wanted(&self, waiting: u32) -> bool {
        self.waiting.load(Ordering::Relaxed) > waiting || self.house.is_wanted(self.instances())
    }
}

/// Takes from a counter what there is, up to so many.
fn take_up_to(counter: &AtomicU32, count: u32) -> u32 {
    let mut taken = 0;
    let ordering = Ordering::Relaxed;
    // It always succeeds, since it always gives a value.
    let _ = counter.fetch_update(ordering, ordering, |value| {
        taken = value.min(count);
        Some(value - taken)
    });
    taken
}

/// An event of the tenant waits for a place.
struct Waiting<'a>(&'a Tenant);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The place of one instance.
pub(crate) struct Lodging {
    tenant: Arc<Tenant>,
    own: Option<OwnedSemaphorePermit>,
    _house: OwnedSemaphorePermit,
}

impl Lodging {
    fn new(tenant: &Arc<Tenant>, own: OwnedSemaphorePermit, house: OwnedSemaphorePermit) -> Self {
        if tenant.lodged.fetch_add(1, Ordering::Relaxed) == 0 {
            tenant.house.count_tenant();
        }
        Self {
            tenant: Arc::clone(tenant),
            own: Some(own),
            _house: house,
        }
    }
}

impl Drop for Lodging {
    fn drop(&mut self) {
        if self.tenant.lodged.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.tenant.house.discount_tenant();
        }
        if take_up_to(&self.tenant.places_lost, 1) == 1
            && let Some(own) = self.own.take()
        {
            own.forget();
        }
        self.tenant.house.tell_freed();
    }
}

/// Linear memory of one instance, as its tenant counts it.
pub(crate) struct Memory {
    tenant: Arc<Tenant>,
    bytes: u64,
}

impl Memory {
    pub(crate) fn new(tenant: &Arc<Tenant>) -> Self {
        Self {
            tenant: Arc::clone(tenant),
            bytes: 0,
        }
    }

    /// Counts so many bytes more, if the tenant may have them.
    pub(crate) fn grow(&mut self, bytes: usize) -> bool {
        let bytes = bytes as u64;
        let may_grow = self.tenant.grow(bytes);
        if may_grow {
            self.bytes += bytes;
        }
        may_grow
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.tenant
            .memory_bytes
            .fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// All tenants that have a plugin.
pub(crate) struct Tenants {
    house: Arc<House>,
    all: Mutex<HashMap<TenantId, Weak<Tenant>>>,
}

impl Tenants {
    /// Of a host that has room for so many instances.
    pub(crate) fn new(instances_max: u32) -> Self {
        Self {
            house: Arc::new(House::new(instances_max)),
            all: Mutex::default(),
        }
    }

    /// A tenant, to which these limits apply from now on.
    pub(crate) fn get(&self, id: TenantId, limits: &TenantLimits) -> Arc<Tenant> {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let known = all.get(&id).and_then(Weak::upgrade);
        let tenant = known.unwrap_or_else(|| {
            all.retain(|_, tenant| tenant.strong_count() > 0);
            let tenant = Arc::new(Tenant::new(id, Arc::clone(&self.house)));
            all.insert(id, Arc::downgrade(&tenant));
            tenant
        });
        tenant.set(limits);
        tenant
    }

    /// A tenant that has a plugin.
    pub(crate) fn find(&self, id: TenantId) -> Option<Arc<Tenant>> {
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(&id)?.upgrade()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(instances_max: u32, memory_bytes_max: u64) -> TenantLimits {
        TenantLimits {
            instances_max,
            memory_bytes_max,
            ..TenantLimits::default()
        }
    }

    #[test]
    fn a_tenant_has_as_many_places_as_it_may() {
        let tenants = Tenants::new(100);
        let tenant = tenants.get(TenantId(1), &limits(3, 0));
        let mut lodgings: Vec<_> = (0..3).map(|_| tenant.try_lodge().unwrap()).collect();
        assert!(tenant.try_lodge().is_none());
        assert_eq!(tenant.instances(), 3);
        // With less, what it has beyond that does not come back.
        tenants.get(TenantId(1), &limits(1, 0));
        lodgings.truncate(1);
        assert!(tenant.try_lodge().is_none());
        lodgings.clear();
        let _one = tenant.try_lodge().unwrap();
        assert!(tenant.try_lodge().is_none());
        tenants.get(TenantId(1), &limits(2, 0));
        assert!(tenant.try_lodge().is_some());
    }

    #[test]
    fn one_tenant_does_not_get_all_places_of_the_host() {
        let tenants = Tenants::new(20);
        let greedy = tenants.get(TenantId(1), &limits(100, 0));
        let lodgings: Vec<_> = std::iter::from_fn(|| greedy.try_lodge()).collect();
        assert_eq!(lodgings.len(), 18);
        for other in 2..4 {
            let other = tenants.get(TenantId(other), &limits(100, 0));
            std::mem::forget(other.try_lodge().unwrap());
            assert!(other.try_lodge().is_none());
        }
        let late = tenants.get(TenantId(4), &limits(100, 0));
        assert!(late.try_lodge().is_none());
        drop(lodgings);
        assert!(late.try_lodge().is_some());
    }

    #[test]
    fn a_tenants_instances_share_its_memory() {
        let tenants = Tenants::new(10);
        let tenant = tenants.get(TenantId(1), &limits(10, 10));
        let (mut one, mut other) = (Memory::new(&tenant), Memory::new(&tenant));
        assert!(one.grow(6));
        assert!(!other.grow(5));
        assert!(other.grow(4));
        assert!(!one.grow(usize::MAX));
        drop(one);
        assert!(other.grow(6));
        assert_eq!(tenant.memory_bytes(), 10);
        drop(other);
        assert_eq!(tenant.memory_bytes(), 0);
    }
}
