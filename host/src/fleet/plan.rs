//! What a changed manifest or a changed file asks for. Pure.

use std::fmt;

use holdfast_core::manifest::{Host, Manifest, Plugin};

/// A plugin among those of all tenants.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Name {
    pub(crate) tenant: String,
    pub(crate) plugin: String,
}

impl Name {
    /// That of an entry.
    pub(crate) fn of(entry: &Plugin) -> Self {
        Self {
            tenant: entry.tenant.clone(),
            plugin: entry.name.clone(),
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}` of tenant `{}`", self.plugin, self.tenant)
    }
}

/// What is to be done with a plugin of the manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Nothing has changed.
    Nothing,
    /// What has changed holds for the next generation, or is back as it was.
    Note,
    /// A new generation of the component that serves, since its limits, its
    /// settings or what it may do have changed.
    Renew,
    /// Look into the file. If that has what serves already, `renew` says whether
    /// there is to be a new generation all the same.
    Load {
        /// As for [`Step::Renew`].
        renew: bool,
    },
}

/// What is known of a plugin that the host has already.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known<'a> {
    /// What the manifest said when it was last read.
    pub(crate) wanted: &'a Plugin,
    /// With what the newest generation serves; none if none could be loaded.
    pub(crate) serving: Option<&'a Plugin>,
    /// A canary is under way.
    pub(crate) has_canary: bool,
}

/// Decides for one entry of the manifest. `is_due`: its file has changed.
pub(crate) fn step(known: Option<Known<'_>>, entry: &Plugin, is_due: bool) -> Step {
    let Some(known) = known else {
        return Step::Load { renew: true };
    };
    let Some(serving) = known.serving else {
        let is_changed = is_due || known.wanted != entry;
        return if is_changed {
            Step::Load { renew: true }
        } else {
            Step::Nothing
        };
    };
    let is_changed = known.wanted != entry;
    // A canary's share is that of its generation.
    let is_share = known.has_canary && serving.deploy != entry.deploy;
    let renew = is_changed && (is_share || !runs_alike(serving, entry));
    if is_due || known.wanted.component != entry.component {
        Step::Load { renew }
    } else if renew {
        Step::Renew
    } else if is_changed {
        Step::Note
    } else {
        Step::Nothing
    }
}

/// Whether the same component would notice no difference.
fn runs_alike(one: &Plugin, other: &Plugin) -> bool {
    let Plugin {
        tenant,
        name,
        component: _,
        image: _,
        root: _,
        config,
        env,
        folders,
        allow_http,
        deploy: _,
        limits,
        tenant_limits,
        access_log,
    } = one;
    *tenant == other.tenant
        && *name == other.name
        && *config == other.config
        && *env == other.env
        && *folders == other.folders
        && *allow_http == other.allow_http
        && *limits == other.limits
        && *tenant_limits == other.tenant_limits
        && *access_log == other.access_log
}

/// What the engines were made for when the host started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ceiling {
    pub(crate) memory_bytes_max: usize,
    pub(crate) table_elements_max: usize,
}

impl Ceiling {
    /// The largest limits of any plugin, and of any that may come to a tenant's
    /// folder.
    pub(crate) fn of(manifest: &Manifest) -> Self {
        let plugins = manifest.plugins.iter();
        let instances = plugins.map(|plugin| &plugin.limits.instance);
        let instances = instances.chain(&manifest.reserve);
        let memories = instances.clone().map(|it| it.memory_bytes_max);
        Self {
            memory_bytes_max: memories.max().unwrap_or(0),
            table_elements_max: instances.map(|it| it.table_elements_max).max().unwrap_or(0),
        }
    }

    /// The limit of a plugin that is above it: key, value, most.
    pub(crate) fn exceeded(&self, entry: &Plugin) -> Option<(&'static str, usize, usize)> {
        let limits = &entry.limits.instance;
        [
            (
                "memory_bytes_max",
                limits.memory_bytes_max,
                self.memory_bytes_max,
            ),
            (
                "table_elements_max",
                limits.table_elements_max,
                self.table_elements_max,
            ),
        ]
        .into_iter()
        .find(|(_, value, max)| value > max)
    }
}

/// Keys of the whole host which a running host can't change.
pub(crate) fn restart_keys(old: &Host, new: &Host) -> Vec<&'static str> {
    let Host {
        listen,
        tls,
        proxies,
        http2,
        admin_listen,
        metrics_plugins_max,
        admin_tokens,
        threads,
        instances_max,
        drain,
        drain_close_code,
        keyvalue_sync_ms,
        connections_max,
        connections_per_address_max,
        addresses_uncounted,
        access_log,
        head,
        encoding,
        files,
        load,
        images,
    } = old;
    [
        ("listen", *listen != new.listen),
        ("tls", *tls != new.tls),
        ("proxies", *proxies != new.proxies),
        ("http2", *http2 != new.http2),
        ("admin.listen", *admin_listen != new.admin_listen),
        (
            "admin.metrics_plugins_max",
            *metrics_plugins_max != new.metrics_plugins_max,
        ),
        ("admin.tokens", *admin_tokens != new.admin_tokens),
        ("threads", *threads != new.threads),
        ("instances_max", *instances_max != new.instances_max),
        ("drain_timeout_ms", drain.timeout_ms != new.drain.timeout_ms),
        ("drain_delay_ms", drain.delay_ms != new.drain.delay_ms),
        ("drain_spread_ms", drain.spread_ms != new.drain.spread_ms),
        (
            "drain_close_code",
            *drain_close_code != new.drain_close_code,
        ),
        (
            "keyvalue_sync_ms",
            *keyvalue_sync_ms != new.keyvalue_sync_ms,
        ),
        ("connections_max", *connections_max != new.connections_max),
        (
            "connections_per_address_max",
            *connections_per_address_max != new.connections_per_address_max,
        ),
        (
            "addresses_uncounted",
            *addresses_uncounted != new.addresses_uncounted,
        ),
        ("access_log", *access_log != new.access_log),
        ("http", *head != new.head),
        ("encoding", *encoding != new.encoding),
        ("files", *files != new.files),
        ("load", *load != new.load),
        ("images", *images != new.images),
    ]
    .into_iter()
    .filter_map(|(key, is_changed)| is_changed.then_some(key))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::fixture::{entry, manifest};

    fn known(wanted: &Plugin) -> Option<Known<'_>> {
        Some(Known {
            wanted,
            serving: Some(wanted),
            has_canary: false,
        })
    }

    #[test]
    fn a_change_costs_no_more_than_it_has_to() {
        let old = entry("");
        let limits = entry("limits = { events_max = 5 }");
        let config = entry("config = { a = 'b' }");
        let folders = entry("folders = { '/a' = 'b' }");
        let deploy = entry("deploy = { generations_kept = 9 }");
        let mut moved = entry("");
        moved.component = "/other.wasm".into();
        for (new, is_due, expected) in [
            (&old, false, Step::Nothing),
            (&old, true, Step::Load { renew: false }),
            (&limits, false, Step::Renew),
            (&limits, true, Step::Load { renew: true }),
            (&config, false, Step::Renew),
            (&folders, false, Step::Renew),
            (&deploy, false, Step::Note),
            (&moved, false, Step::Load { renew: false }),
        ] {
            assert_eq!(step(known(&old), new, is_due), expected, "{new:?}");
        }
        assert_eq!(step(None, &old, false), Step::Load { renew: true });
    }

    #[test]
    fn what_failed_is_not_tried_again_until_something_changes() {
        let (old, refused) = (entry(""), entry("limits = { events_max = 5 }"));
        let known = |serving| {
            Some(Known {
                wanted: &refused,
                serving,
                has_canary: false,
            })
        };
        assert_eq!(step(known(Some(&old)), &refused, false), Step::Nothing);
        assert_eq!(step(known(Some(&old)), &old, false), Step::Note, "back");
        assert_eq!(step(known(None), &refused, false), Step::Nothing);
        assert_eq!(step(known(None), &old, false), Step::Load { renew: true });
        assert_eq!(
            step(known(None), &refused, true),
            Step::Load { renew: true }
        );
    }

    #[test]
    fn a_canary_changes_its_share() {
        let old = entry("deploy = { strategy = 'canary', canary_percent = 10 }");
        let new = entry("deploy = { strategy = 'canary', canary_percent = 50 }");
        let mut known = known(&old);
        assert_eq!(step(known, &new, false), Step::Note);
        known = known.map(|it| Known {
            has_canary: true,
            ..it
        });
        assert_eq!(step(known, &new, false), Step::Renew);
    }

    #[test]
    fn keys_of_the_host_need_a_restart() {
        let old = manifest("threads = 1");
        let new = manifest("threads = 2\n[admin]\nlisten = '127.0.0.1:9'");
        assert_eq!(
            restart_keys(&old.host, &new.host),
            ["admin.listen", "threads"]
        );
        assert!(restart_keys(&old.host, &old.host).is_empty());
    }

    #[test]
    fn the_engines_hold_what_they_were_made_for() {
        let small = manifest("limits = { memory_bytes_max = 65536 }");
        let large = entry("limits = { memory_bytes_max = 131072 }");
        let ceiling = Ceiling::of(&small);
        assert_eq!(ceiling.exceeded(&small.plugins[0]), None);
        assert_eq!(
            ceiling.exceeded(&large),
            Some(("memory_bytes_max", 131_072, 65_536))
        );
    }
}
