//! Who a connection is: what its attachment says.

use holdfast::{Context, Result};

/// The room of a connection, and who it is once it has joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Visitor {
    pub(crate) room: String,
    pub(crate) member: Option<Member>,
}

/// Somebody who has joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) nick: String,
    /// Known to this client only. Whoever has it may take the place of the
    /// connection. Empty for none.
    pub(crate) key: String,
}

impl Visitor {
    /// Somebody who has not joined yet.
    pub(crate) fn new(room: &str) -> Self {
        Self {
            room: room.to_owned(),
            member: None,
        }
    }

    /// The room, the nickname and the key, on a line each. None of them has a
    /// line break.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        match &self.member {
            Some(member) => format!("{}\n{}\n{}", self.room, member.nick, member.key).into(),
            None => self.room.clone().into(),
        }
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let text = std::str::from_utf8(bytes).context("the attachment")?;
        let mut lines = text.split('\n').map(str::to_owned);
        Ok(Self {
            room: lines.next().unwrap_or_default(),
            member: lines.next().map(|nick| Member {
                nick,
                key: lines.next().unwrap_or_default(),
            }),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_visitor_survives_the_attachment() {
        let mut visitor = Visitor::new("lobby");
        assert_eq!(Visitor::from_bytes(&visitor.to_bytes()).unwrap(), visitor);
        for key in ["", "secret"] {
            visitor.member = Some(Member {
                nick: "Ada L.".to_owned(),
                key: key.to_owned(),
            });
            assert_eq!(Visitor::from_bytes(&visitor.to_bytes()).unwrap(), visitor);
        }
        assert!(Visitor::from_bytes(b"\xff").is_err());
    }
}
