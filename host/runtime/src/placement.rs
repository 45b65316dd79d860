//! Which generation of a plugin an event goes to. Pure: it knows neither
//! instances nor connections.

use holdfast_core::ConnectionId;
use holdfast_core::deploy::Strategy;
use holdfast_core::plugin::Handlers;

/// A generation that takes new work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// The one for everybody.
    Stable,
    /// The one for a share.
    Canary,
}

/// What placement has to know of such a generation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate {
    pub(crate) handlers: Handlers,
    pub(crate) strategy: Strategy,
}

/// The generations that take new work.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Placement {
    pub(crate) stable: Candidate,
    pub(crate) canary: Option<Candidate>,
}

impl Candidate {
    /// Its share as a canary, in percent.
    fn percent(&self) -> u8 {
        match self.strategy {
            Strategy::Canary(percent) => percent,
            Strategy::All | Strategy::Pin => 0,
        }
    }
}

impl Placement {
    /// For a request. `turn` counts them, from 0 to 99 and again; the canary's
    /// share is spread evenly.
    pub(crate) fn request(&self, turn: u8) -> Target {
        let is_in_share = |canary: Candidate| {
            let percent = u32::from(canary.percent());
            u32::from(turn) * percent % 100 + percent >= 100
        };
        match self.canary {
            Some(canary) if canary.handlers.http && is_in_share(canary) => Target::Canary,
            _ => Target::Stable,
        }
    }

    /// For a handshake, and where the connection belongs from then on, unless it
    /// has to stay elsewhere. Ids are random, so a share of them is one of the
    /// connections, and always of the same ones.
    pub(crate) fn connection(&self, id: ConnectionId) -> Target {
        match self.canary {
            Some(canary)
                if canary.handlers.websocket && id.0 % 100 < u128::from(canary.percent()) =>
            {
                Target::Canary
            }
            _ => Target::Stable,
        }
    }

    /// Whether an open connection of an earlier generation stays there, rather
    /// than go to this one. Nobody is kept by one that has been given up.
    pub(crate) fn stays(&self, target: Target, is_given_up: bool) -> bool {
        let candidate = match (target, self.canary) {
            (Target::Canary, Some(canary)) => canary,
            _ => self.stable,
        };
        let is_pinned = candidate.strategy == Strategy::Pin && !is_given_up;
        is_pinned || !candidate.handlers.websocket
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: Handlers = Handlers {
        http: true,
        http_alone: false,
        websocket: true,
    };

    fn candidate(strategy: Strategy, handlers: Handlers) -> Candidate {
        Candidate { handlers, strategy }
    }

    fn with_canary(percent: u8, handlers: Handlers) -> Placement {
        Placement {
            stable: candidate(Strategy::All, BOTH),
            canary: Some(candidate(Strategy::Canary(percent), handlers)),
        }
    }

    fn alone(strategy: Strategy, handlers: Handlers) -> Placement {
        Placement {
            stable: candidate(strategy, handlers),
            canary: None,
        }
    }

    #[test]
    fn without_a_canary_all_goes_to_one() {
        for strategy in [Strategy::All, Strategy::Pin, Strategy::Canary(99)] {
            let placement = alone(strategy, BOTH);
            assert!((0..100).all(|turn| placement.request(turn) == Target::Stable));
            let targets = (0..200).map(|id| placement.connection(ConnectionId(id)));
            assert!(targets.into_iter().all(|target| target == Target::Stable));
        }
    }

    #[test]
    fn a_canary_gets_its_share_of_requests_evenly() {
        for percent in [1, 10, 33, 50, 99] {
            let placement = with_canary(percent, BOTH);
            let is_canary = |turn: &u8| placement.request(*turn) == Target::Canary;
            assert_eq!((0..100).filter(is_canary).count(), usize::from(percent));
            // No long run without one.
            let gap_max = 100_usize.div_ceil(usize::from(percent));
            let turns: Vec<u8> = (0..100).collect();
            assert!(
                turns
                    .windows(gap_max)
                    .all(|part| part.iter().any(is_canary))
            );
        }
    }

    #[test]
    fn a_canary_gets_its_share_of_connections() {
        let placement = with_canary(10, BOTH);
        let id = |number| ConnectionId(u128::MAX - 55 - number);
        let is_canary = |number: &u128| placement.connection(id(*number)) == Target::Canary;
        assert_eq!((0..1000).filter(is_canary).count(), 100);
    }

    #[test]
    fn a_canary_gets_nothing_that_it_can_not_handle() {
        let placement = with_canary(99, Handlers::default());
        assert_eq!(placement.request(50), Target::Stable);
        assert_eq!(placement.connection(ConnectionId(0)), Target::Stable);
    }

    #[test]
    fn open_connections_stay_where_they_are_pinned() {
        assert!(!alone(Strategy::All, BOTH).stays(Target::Stable, false));
        let pin = alone(Strategy::Pin, BOTH);
        assert!(pin.stays(Target::Stable, false));
        assert!(
            !pin.stays(Target::Stable, true),
            "not with what was given up"
        );
        let canary = Placement {
            canary: Some(candidate(Strategy::Canary(10), BOTH)),
            ..pin
        };
        assert!(!canary.stays(Target::Canary, false));
        assert!(canary.stays(Target::Stable, false));
    }

    #[test]
    fn open_connections_stay_where_there_is_a_handler() {
        let http = Handlers {
            http: true,
            http_alone: false,
            websocket: false,
        };
        assert!(alone(Strategy::All, http).stays(Target::Stable, false));
        assert!(alone(Strategy::All, http).stays(Target::Stable, true));
    }
}
