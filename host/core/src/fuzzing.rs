//! What is fuzzed of this crate, for `fuzz/` alone: each function takes any bytes,
//! and panics if something does not hold.

use std::path::Path;

use crate::manifest::{self, Destination, Strictness};

/// `holdfast.toml`, whatever is in it.
pub fn manifest(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let raw = match manifest::parse("m.toml", &text) {
        Ok(raw) => raw,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let Ok(manifest) = manifest::resolve("m.toml", Path::new("/app"), &raw) else {
        return;
    };
    for route in &manifest.routes {
        if let Destination::Plugin(index) = route.to {
            assert!(manifest.plugins.get(index).is_some());
        }
    }
    for plugin in &manifest.plugins {
        assert!(manifest.tenants.iter().any(|it| it.name == plugin.tenant));
    }
}

/// `tenant.toml`, which is not the operator's.
pub fn tenant_manifest(data: &[u8]) {
    const OPERATOR: &str = "tenants = 't'\n[tenant.acme]\nhosts = ['acme.example']\n";
    let text = String::from_utf8_lossy(data);
    let (Ok(own), Ok(operator)) = (
        manifest::parse_own("t.toml", &text),
        manifest::parse("m.toml", OPERATOR),
    ) else {
        return;
    };
    let folder = Path::new("/app/t/acme");
    let strictness = Strictness::Refuse;
    let part = manifest::resolve_own("t.toml", folder, "acme", &own, &operator, strictness);
    let Ok(part) = part else {
        return;
    };
    for plugin in part.plugins() {
        assert_eq!(plugin.tenant, "acme");
        assert!(plugin.component.starts_with(folder), "{plugin:?}");
        let components = plugin.component.components();
        assert!(
            !components
                .into_iter()
                .any(|it| it == std::path::Component::ParentDir)
        );
    }
}
