//! What is counted where clients come in, before it is known whose they are.

use super::Counter;

/// What is counted of the edge, of all tenants together.
#[derive(Debug, Default)]
pub struct EdgeMetrics {
    /// Connections that were refused since the host had as many as it may.
    pub shed: Counter,
    /// Lines of the access log that were lost.
    pub access_lost: Counter,
    tls_failures: [Counter; TlsFailure::ALL.len()],
    floods: [Counter; Flood::ALL.len()],
}

/// Why a TLS handshake came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsFailure {
    /// It took too long.
    Timeout,
    /// The client was gone in the middle of it.
    Closed,
    /// What came is no TLS, or not in order.
    Malformed,
    /// The two have no version, cipher or protocol in common.
    Incompatible,
    /// The client's certificate is missing, or not one that is taken.
    ClientCertificate,
    /// There is no certificate for the name that the client wants.
    NoCertificate,
    /// The client has said that it goes no further, mostly since it does not take
    /// the host's certificate.
    Alert,
    /// Something else.
    Other,
}

impl TlsFailure {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Timeout,
        Self::Closed,
        Self::Malformed,
        Self::Incompatible,
        Self::ClientCertificate,
        Self::NoCertificate,
        Self::Alert,
        Self::Other,
    ];

    /// What a metric calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Closed => "closed",
            Self::Malformed => "malformed",
            Self::Incompatible => "incompatible",
            Self::ClientCertificate => "client_certificate",
            Self::NoCertificate => "no_certificate",
            Self::Alert => "alert",
            Self::Other => "other",
        }
    }
}

/// For what an HTTP/2 connection was ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flood {
    /// `resets_per_second_max`.
    Resets,
    /// `control_frames_per_second_max`, by PING frames.
    Pings,
    /// The same by SETTINGS frames.
    Settings,
    /// The same by others: empty, padded, unknown ones.
    Other,
}

impl Flood {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Resets, Self::Pings, Self::Settings, Self::Other];

    /// What a metric calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Resets => "resets",
            Self::Pings => "pings",
            Self::Settings => "settings",
            Self::Other => "other",
        }
    }
}

impl EdgeMetrics {
    /// Counts a handshake that came to nothing.
    pub fn note_tls_failure(&self, failure: TlsFailure) {
        note(&self.tls_failures, failure as usize);
    }

    /// Counts an HTTP/2 connection that was ended.
    pub fn note_flood(&self, flood: Flood) {
        note(&self.floods, flood as usize);
    }

    /// Handshakes that came to nothing, by kind.
    pub fn tls_failures(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let names = TlsFailure::ALL.map(TlsFailure::name);
        names
            .into_iter()
            .zip(self.tls_failures.iter().map(Counter::get))
    }

    /// HTTP/2 connections that were ended, by kind.
    pub fn floods(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let names = Flood::ALL.map(Flood::name);
        names.into_iter().zip(self.floods.iter().map(Counter::get))
    }
}

fn note(counters: &[Counter], index: usize) {
    if let Some(counter) = counters.get(index) {
        counter.add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_counted_in_its_own_place() {
        let metrics = EdgeMetrics::default();
        for failure in TlsFailure::ALL {
            metrics.note_tls_failure(failure);
        }
        assert!(metrics.tls_failures().all(|(_, count)| count == 1));
        metrics.note_flood(Flood::Settings);
        let floods: Vec<_> = metrics.floods().filter(|(_, count)| *count == 1).collect();
        assert_eq!(floods, [("settings", 1)]);
    }
}
