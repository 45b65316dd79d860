//! What is fuzzed of the host itself, which is no library: see `fuzz/`.

use crate::admin;
use crate::depot;

#[test]
fn host_admin_requests() {
    holdfast_fuzz::run("host_admin_requests", admin::fuzz);
}

#[test]
fn host_deployments() {
    holdfast_fuzz::run("host_deployments", depot::fuzz);
}
