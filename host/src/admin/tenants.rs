//! The tenants, for whom may know of them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::failure::Failure;
use super::keys::Caller;
use super::request::Page;
use crate::fleet::{Handle, TenantView};

/// A part of the tenants.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct TenantPage {
    /// By their names.
    pub(crate) tenants: Vec<TenantView>,
    /// The cursor of the next part; null if this is the last.
    pub(crate) next: Option<String>,
}

/// Answers for a page of tenants. For those who have to do with one alone, that
/// is all there is.
pub(super) fn list(fleet: &Handle, caller: &Caller, page: &Page) -> TenantPage {
    let after = page.after.as_deref();
    let tenants = match &caller.tenant {
        Some(own) => {
            let is_next = after.is_none_or(|after| **own > *after);
            let own = fleet.tenant(own).filter(|_| is_next);
            own.into_iter().collect()
        }
        None => fleet.tenants(after, page.limit),
    };
    let last = tenants.last().map(|it| it.name.clone());
    TenantPage {
        next: page.next(tenants.len(), last),
        tenants,
    }
}

/// 404.
pub(super) fn no_tenant(name: &str) -> Failure {
    let hint = "GET /v1/tenants lists the tenants";
    Failure::not_found(format!("there is no tenant `{name}`"), hint)
}
