//! How many connections each client address has.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex};

use holdfast_core::metrics::Counter;
use holdfast_core::network::Network;

use crate::lock::lock;

/// Whoever has an IPv6 address has all of its first 64 bits (RFC 6177).
const IPV6_MASK: u128 = !0 << 64;

/// The addresses that have connections.
#[derive(Debug)]
pub struct Addresses {
    counts: Mutex<HashMap<IpAddr, u32>>,
    /// For each; 0 for no limit.
    connections_max: u32,
    uncounted: Vec<Network>,
    /// Connections that were one too many.
    pub(crate) refused: Arc<Counter>,
}

/// A connection that is counted for as long as this lives.
#[derive(Debug)]
pub(crate) struct Place {
    addresses: Arc<Addresses>,
    address: IpAddr,
}

/// The address has as many connections as it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

impl Addresses {
    /// Each may have so many, 0 for any number. Connections of the networks in
    /// `uncounted` are not counted.
    pub fn new(connections_max: u32, uncounted: Vec<Network>) -> Arc<Self> {
        Arc::new(Self {
            counts: Mutex::default(),
            connections_max,
            uncounted,
            refused: Arc::default(),
        })
    }

    /// Counts one more connection; none if it is not to be counted. Boxed, so
    /// that a connection which is not counted has a word for it and no more.
    pub(crate) fn enter(self: &Arc<Self>, address: IpAddr) -> Result<Option<Box<Place>>, Full> {
        let is_uncounted = self.uncounted.iter().any(|it| it.contains(address));
        if self.connections_max == 0 || is_uncounted {
            return Ok(None);
        }
        self.count(client(address)).map(Some)
    }

    fn count(self: &Arc<Self>, address: IpAddr) -> Result<Box<Place>, Full> {
        let mut counts = lock(&self.counts);
        let count = counts.entry(address).or_default();
        if *count >= self.connections_max {
            self.refused.add(1);
            return Err(Full);
        }
        *count += 1;
        Ok(Box::new(Place {
            addresses: Arc::clone(self),
            address,
        }))
    }
}

impl Place {
    /// One more of the same client.
    pub(crate) fn another(&self) -> Result<Box<Self>, Full> {
        self.addresses.count(self.address)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = lock(&self.addresses.counts);
        if let Some(count) = counts.get_mut(&self.address) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                counts.remove(&self.address);
            }
        }
    }
}

/// The address by which a client is counted.
fn client(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & IPV6_MASK).into(),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_has_so_many_and_gets_room_again() {
        let addresses = Addresses::new(2, vec!["10.0.0.0/8".parse().unwrap()]);
        let enter = |address: &str| addresses.enter(address.parse().unwrap());
        let first = enter("2001:db8::1").unwrap();
        let _second = enter("2001:db8::2:3:4:5").unwrap();
        assert_eq!(enter("2001:db8::9").unwrap_err(), Full, "the same /64");
        assert!(enter("2001:db8:0:1::1").is_ok_and(|place| place.is_some()));
        drop(first);
        assert!(enter("2001:db8::9").is_ok());
        assert!(enter("::ffff:10.1.2.3").is_ok_and(|place| place.is_none()));
        let _a = enter("192.0.2.1").unwrap();
        let _b = enter("::ffff:192.0.2.1").unwrap();
        assert_eq!(enter("192.0.2.1").unwrap_err(), Full);
    }

    #[test]
    fn nobody_is_remembered_who_has_none() {
        let addresses = Addresses::new(1, Vec::new());
        drop(addresses.enter([192, 0, 2, 1].into()));
        assert!(lock(&addresses.counts).is_empty());
    }
}
