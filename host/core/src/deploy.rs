//! How a new generation of a plugin takes over from the one before.

use serde::Deserialize;

use crate::limits::{OutOfRange, counted, ranged};

/// `[plugin.deploy]` as written. Every key may be left out.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawDeploy {
    /// Who gets the new generation; `all` if left out.
    pub strategy: Option<RawStrategy>,
    /// Share of the connections and requests which a canary gets, 1 to 99.
    pub canary_percent: Option<u8>,
    /// Earlier generations that are kept for a rollback, 0 to 100.
    pub generations_kept: Option<u32>,
    /// First events of a generation which decide about an automatic rollback.
    pub probation_events: Option<u32>,
    /// Share of them that may trap or run out of time, 1 to 99; 0 for no
    /// automatic rollback.
    pub probation_failed_percent: Option<u8>,
}

/// The name of a strategy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RawStrategy {
    /// See [`Strategy::All`].
    All,
    /// See [`Strategy::Canary`].
    Canary,
    /// See [`Strategy::Pin`].
    Pin,
}

/// Who gets a new generation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    /// Everybody, from the next event on.
    #[default]
    All,
    /// This share of the connections, always the same ones, and of the requests,
    /// in percent; the others when it is promoted.
    Canary(u8),
    /// New connections and requests. Open sockets stay with their generation
    /// until they close.
    Pin,
}

/// How new generations of a plugin take over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deploy {
    /// Who gets a new generation.
    pub strategy: Strategy,
    /// See [`RawDeploy::generations_kept`].
    pub generations_kept: u32,
    /// When a new generation is given up.
    pub probation: Probation,
}

/// The first events of a new generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probation {
    /// So many events.
    pub events: u32,
    /// If more than this share of them fail, in percent, the generation before
    /// comes back; 0 for never.
    pub failed_percent: u8,
}

impl Probation {
    /// Whether so many failed events are too many.
    pub fn is_failed(&self, failed: u32) -> bool {
        let share = u64::from(self.failed_percent);
        share > 0 && u64::from(failed) * 100 > u64::from(self.events) * share
    }
}

/// A key of `[plugin.deploy]` has a value it can't have.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeployError {
    /// Out of range.
    #[error(transparent)]
    OutOfRange(#[from] OutOfRange),
    /// A share without a canary, or a canary without its share.
    #[error("`strategy = \"canary\"` and `canary_percent` go together")]
    Canary,
}

impl Default for Deploy {
    fn default() -> Self {
        Self {
            strategy: Strategy::default(),
            generations_kept: GENERATIONS_KEPT_DEFAULT,
            probation: Probation {
                events: PROBATION_EVENTS_DEFAULT,
                failed_percent: PROBATION_FAILED_PERCENT_DEFAULT,
            },
        }
    }
}

const GENERATIONS_KEPT_DEFAULT: u32 = 3;
const PROBATION_EVENTS_DEFAULT: u32 = 100;
const PROBATION_FAILED_PERCENT_DEFAULT: u8 = 50;

impl Deploy {
    /// Fills in the defaults and checks every value.
    pub fn resolve(raw: &RawDeploy) -> Result<Self, DeployError> {
        let percent = raw.canary_percent;
        let percent = percent.map(|it| ranged("canary_percent", Some(it.into()), 1, 1..=99));
        let strategy = match (raw.strategy, percent.transpose()?) {
            (Some(RawStrategy::Canary), Some(percent)) => Strategy::Canary(percent as u8),
            (Some(RawStrategy::Canary), None) | (_, Some(_)) => return Err(DeployError::Canary),
            (Some(RawStrategy::Pin), None) => Strategy::Pin,
            (Some(RawStrategy::All) | None, None) => Strategy::All,
        };
        let failed_percent = ranged(
            "probation_failed_percent",
            raw.probation_failed_percent.map(u64::from),
            PROBATION_FAILED_PERCENT_DEFAULT.into(),
            0..=99,
        )?;
        let kept = ranged(
            "generations_kept",
            raw.generations_kept.map(u64::from),
            GENERATIONS_KEPT_DEFAULT.into(),
            0..=100,
        )?;
        Ok(Self {
            strategy,
            generations_kept: kept as u32,
            probation: Probation {
                events: counted(
                    "probation_events",
                    raw.probation_events,
                    PROBATION_EVENTS_DEFAULT,
                    1_000_000,
                )?,
                failed_percent: failed_percent as u8,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strategy_has_what_it_needs() {
        let resolve = |strategy, canary_percent| {
            let raw = RawDeploy {
                strategy,
                canary_percent,
                ..Default::default()
            };
            Deploy::resolve(&raw).map(|deploy| deploy.strategy)
        };
        assert_eq!(resolve(None, None), Ok(Strategy::All));
        assert_eq!(resolve(Some(RawStrategy::Pin), None), Ok(Strategy::Pin));
        let canary = Some(RawStrategy::Canary);
        assert_eq!(resolve(canary, Some(10)), Ok(Strategy::Canary(10)));
        assert_eq!(resolve(canary, None), Err(DeployError::Canary));
        assert_eq!(resolve(None, Some(10)), Err(DeployError::Canary));
        let error = resolve(canary, Some(100)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`canary_percent` is 100, but has to be from 1 to 99"
        );
    }

    #[test]
    fn a_probation_fails_by_its_share() {
        let probation = |failed_percent| Probation {
            events: 10,
            failed_percent,
        };
        assert!(!probation(50).is_failed(5));
        assert!(probation(50).is_failed(6));
        assert!(!probation(0).is_failed(10), "never");
    }
}
