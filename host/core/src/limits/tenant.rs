//! Limits of a tenant: what all its plugins may take together. They are the
//! operator's to set, never the tenant's own.

use serde::Deserialize;

use super::{OutOfRange, counted, ranged};

/// Limits as `[tenant.NAME.limits]` or `[tenant-defaults.limits]` gives them.
/// Every key may be left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawTenantLimits {
    /// Share of the CPU when there is not enough for all, against the weights of
    /// other tenants.
    pub weight: Option<u32>,
    /// Linear memories of all its instances together, in bytes.
    pub memory_bytes_max: Option<u64>,
    /// Instances of all its plugins together.
    pub instances_max: Option<u32>,
    /// WebSockets of all its plugins together.
    pub connections_max: Option<u32>,
    /// WebSocket handshakes a second; as many may come at once.
    pub handshakes_per_second_max: Option<u32>,
    /// Topics that have a subscriber.
    pub topics_max: Option<u32>,
    /// Plugins in its own folder: each is loaded, one after the other with those
    /// of everybody else.
    pub plugins_max: Option<u32>,
}

impl RawTenantLimits {
    /// The keys of `self`, and where it has none, those of `base`.
    pub fn over(&self, base: &Self) -> Self {
        Self {
            weight: self.weight.or(base.weight),
            memory_bytes_max: self.memory_bytes_max.or(base.memory_bytes_max),
            instances_max: self.instances_max.or(base.instances_max),
            connections_max: self.connections_max.or(base.connections_max),
            handshakes_per_second_max: self
                .handshakes_per_second_max
                .or(base.handshakes_per_second_max),
            topics_max: self.topics_max.or(base.topics_max),
            plugins_max: self.plugins_max.or(base.plugins_max),
        }
    }
}

/// What all plugins of a tenant may take together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantLimits {
    /// See [`RawTenantLimits::weight`]. Over its share: events wait.
    pub weight: u32,
    /// See [`RawTenantLimits::memory_bytes_max`]. Reached: `memory.grow` fails.
    pub memory_bytes_max: u64,
    /// See [`RawTenantLimits::instances_max`]. Reached: events wait, up to their
    /// deadline.
    pub instances_max: u32,
    /// See [`RawTenantLimits::connections_max`]. Reached: 503.
    pub connections_max: u32,
    /// See [`RawTenantLimits::handshakes_per_second_max`]. Reached: 503.
    pub handshakes_per_second_max: u32,
    /// See [`RawTenantLimits::topics_max`]. Reached: an error value.
    pub topics_max: u32,
    /// See [`RawTenantLimits::plugins_max`]. Reached: its file is not in force.
    pub plugins_max: u32,
}

/// What is allowed if the manifest says nothing.
const DEFAULT: TenantLimits = TenantLimits {
    weight: 100,
    memory_bytes_max: 4 << 30,
    instances_max: 1_000,
    connections_max: 100_000,
    handshakes_per_second_max: 10_000,
    topics_max: 100_000,
    plugins_max: 100,
};

impl Default for TenantLimits {
    fn default() -> Self {
        DEFAULT
    }
}

impl TenantLimits {
    /// Fills in the defaults and checks every value.
    ///
    /// # Errors
    /// Fails when a value is out of its range.
    pub fn resolve(raw: &RawTenantLimits) -> Result<Self, OutOfRange> {
        Ok(Self {
            weight: counted("weight", raw.weight, DEFAULT.weight, 10_000)?,
            memory_bytes_max: ranged(
                "memory_bytes_max",
                raw.memory_bytes_max,
                DEFAULT.memory_bytes_max,
                1 << 16..=1 << 50,
            )?,
            instances_max: counted(
                "instances_max",
                raw.instances_max,
                DEFAULT.instances_max,
                100_000,
            )?,
            connections_max: counted(
                "connections_max",
                raw.connections_max,
                DEFAULT.connections_max,
                u32::MAX,
            )?,
            handshakes_per_second_max: counted(
                "handshakes_per_second_max",
                raw.handshakes_per_second_max,
                DEFAULT.handshakes_per_second_max,
                1_000_000,
            )?,
            topics_max: counted(
                "topics_max",
                raw.topics_max,
                DEFAULT.topics_max,
                100_000_000,
            )?,
            plugins_max: counted("plugins_max", raw.plugins_max, DEFAULT.plugins_max, 10_000)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_hold_where_nothing_is_said() {
        let base = RawTenantLimits {
            weight: Some(5),
            topics_max: Some(7),
            ..Default::default()
        };
        let own = RawTenantLimits {
            weight: Some(6),
            ..Default::default()
        };
        let limits = TenantLimits::resolve(&own.over(&base)).unwrap();
        assert_eq!((limits.weight, limits.topics_max), (6, 7));
        assert_eq!(limits.connections_max, 100_000);
        let none = TenantLimits::resolve(&RawTenantLimits::default());
        assert_eq!(none, Ok(TenantLimits::default()));
    }

    #[test]
    fn a_value_out_of_range_is_named() {
        let raw = RawTenantLimits {
            weight: Some(0),
            ..Default::default()
        };
        let error = TenantLimits::resolve(&raw).unwrap_err().to_string();
        assert_eq!(error, "`weight` is 0, but has to be from 1 to 10000");
    }
}
