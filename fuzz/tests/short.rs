//! Each target, for a moment.

// Tests say what they expect by failing.
#![allow(clippy::expect_used)]

#[test]
fn manifest() {
    run("manifest");
}

#[test]
fn tenant_manifest() {
    run("tenant_manifest");
}

#[test]
fn proxy_protocol() {
    run("proxy_protocol");
}

#[test]
fn upgrade() {
    run("upgrade");
}

#[test]
fn forwarded_fields() {
    run("forwarded_fields");
}

#[test]
fn frames() {
    run("frames");
}

#[test]
fn compression() {
    run("compression");
}

#[test]
fn http1_framing() {
    run("http1_framing");
}

#[test]
fn http2_frames() {
    run("http2_frames");
}

#[test]
fn client_certificate() {
    run("client_certificate");
}

#[test]
fn origins() {
    run("origins");
}

#[test]
fn component() {
    run("component");
}

#[test]
fn allow_list() {
    run("allow_list");
}

fn run(name: &str) {
    let target = holdfast_fuzz::TARGETS.iter().find(|it| it.0 == name);
    let (name, target) = target.expect("there is such a target");
    holdfast_fuzz::run(name, *target);
}
