//! Manifests for the host.

use std::fmt::Write;
use std::net::SocketAddr;
use std::path::Path;

/// Which guests serve a case.
#[derive(Clone, Copy)]
pub(crate) struct Plugins {
    /// Each guest and its path.
    guests: &'static [(&'static str, &'static str)],
}

impl Plugins {
    pub(crate) const HTTP_0_3: Self = Self::new(&[("bench-http", "/")]);
    pub(crate) const HTTP_0_2: Self = Self::new(&[("wstd", "/")]);
    pub(crate) const ECHO: Self = Self::new(&[("echo", "/")]);
    pub(crate) const FAN_OUT: Self = Self::new(&[("bench-fan", "/")]);
    /// The paths are known to the load generator.
    pub(crate) const BUSY: Self =
        Self::new(&[("echo", "/"), ("plain", "/spinner"), ("waiting", "/waiter")]);

    const fn new(guests: &'static [(&'static str, &'static str)]) -> Self {
        Self { guests }
    }
}

/// All guests that any case wants.
pub(crate) const GUESTS: [&str; 6] = [
    "bench-fan",
    "bench-http",
    "echo",
    "plain",
    "waiting",
    "wstd",
];

/// A manifest under construction.
pub(crate) struct Manifest(String);

impl Manifest {
    /// With one event loop, like the baselines.
    pub(crate) fn new(listen: SocketAddr) -> Self {
        Self(format!("listen = \"{listen}\"\nthreads = 1\n"))
    }

    /// Time for events that are not meant to end, and leave to ask `upstream`.
    pub(crate) fn busy(mut self, plugins: Plugins, guests: &Path, upstream: SocketAddr) -> Self {
        self.0
            .push_str("limits = { event_timeout_ms = 86400000 }\n");
        let allow = format!("allow_http = [\"{upstream}\"]\n");
        self.all(plugins, guests, &allow);
        self
    }

    /// Tenants that have folders in this one; each has its name with `.example`.
    pub(crate) fn tenants(mut self, folder: &Path) -> Self {
        let folder = folder.display();
        let _ = write!(
            self.0,
            "tenants = \"{folder}\"\n[tenant-defaults]\nhosts = [\"{{tenant}}.example\"]\n"
        );
        self
    }

    /// Tenants on one event loop, of whom one wants more than its share.
    pub(crate) fn shares(mut self, guests: &Path) -> Self {
        for (tenant, path) in [("quiet", "/"), ("hog", "/hog"), ("third", "/third")] {
            let component = guests.join("plain.wasm");
            let component = component.display();
            let _ = write!(
                self.0,
                "\n[[plugin]]\nname = \"one\"\ntenant = \"{tenant}\"\n\
                 component = \"{component}\"\n\
                 \n[[route]]\npath = \"{path}\"\nplugin = \"one\"\ntenant = \"{tenant}\"\n"
            );
        }
        self
    }

    /// The guests of a case.
    pub(crate) fn plugins(mut self, plugins: Plugins, guests: &Path) -> Self {
        self.all(plugins, guests, "");
        self
    }

    fn all(&mut self, plugins: Plugins, guests: &Path, more: &str) {
        for (guest, path) in plugins.guests {
            let component = guests.join(guest).with_extension("wasm");
            self.plugin(guest, path, &component, more);
        }
    }

    /// One plugin and its route; `more` are lines for the plugin.
    pub(crate) fn plugin(&mut self, name: &str, path: &str, component: &Path, more: &str) {
        let component = component.display();
        // Writing to a string can't fail.
        let _ = write!(
            self.0,
            "\n[[plugin]]\nname = \"{name}\"\ncomponent = \"{component}\"\n{more}\
             \n[[route]]\npath = \"{path}\"\nplugin = \"{name}\"\n"
        );
    }

    pub(crate) fn text(&self) -> &str {
        &self.0
    }
}
