//! Lets instances go that nobody has used for a while, or at once when somebody
//! wants one who can't use those, and there may be no more.

use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::select;

use super::Pool;

impl Pool {
    /// Sees to it that a janitor is there as long as an instance is.
    pub(super) fn ensure_janitor(self: &Rc<Self>) {
        if !self.has_janitor.replace(true) {
            tokio::task::spawn_local(clean(Rc::clone(self)));
        }
    }

    /// Lets go what is idle for too long; everything idle if others want it, or
    /// if the generation is gone. Returns whether anything is left.
    pub(super) fn sweep(&self) -> bool {
        let idle_max = |these| match self.is_retired.get() || self.is_wanted_by_others(these) {
            true => Duration::ZERO,
            false => Duration::from_millis(self.plugin.instance.idle_ms),
        };
        let alone_max = idle_max(&self.waiting_alone);
        // Dropped outside of the borrow, since a guest's resources are dropped
        // with it.
        let expired: Vec<_> = self
            .idle
            .borrow_mut()
            .extract_if(.., |instance| instance.idle_since.elapsed() >= alone_max)
            .collect();
        drop(expired);
        let has_workers = self.crew.dismiss_idle(idle_max(&self.waiting_hire));
        let has_idle = !self.idle.borrow().is_empty();
        if !has_idle {
            self.lanes.clear();
        }
        has_workers || has_idle
    }
}

async fn clean(pool: Rc<Pool>) {
    let period = Duration::from_millis(pool.plugin.instance.idle_ms.div_ceil(2));
    let wanted = || {
        let here = pool.plugin.shared.wanted.notified();
        let anywhere = pool.plugin.tenant.house.wanted();
        select(Box::pin(here), Box::pin(anywhere))
    };
    let mut told = pin!(wanted());
    // For those who began to wait before.
    pool.sweep();
    while !pool.is_retired.get() {
        tokio::select! {
            () = tokio::time::sleep(period) => {}
            _ = &mut told => {}
        }
        // Before the sweep, so that it misses nobody who begins to wait in it.
        told.set(wanted());
        if !pool.sweep() {
            break;
        }
    }
    pool.has_janitor.set(false);
}
