//! The four events of a WebSocket.

use super::{Case, Group};

pub(super) const GROUP: Group = Group {
    name: "events",
    cases: &[
        Case {
            name: "accept",
            script: "
                a = /some/where?and=what
                a > attachment
                a < 0 /some/where?and=what
            ",
        },
        Case {
            name: "accept /refuse",
            script: "
                refused /refuse
                gives 403 refused
                field x-why refused
            ",
        },
        Case {
            name: "accept /protocol",
            script: "
                a = /protocol offering one.v1, two.v2
                a field sec-websocket-protocol two.v2
                a > echo hello
                a < hello
            ",
        },
        Case {
            name: "accept /headers",
            script: "
                a = /headers
                a field x-conformance yes
            ",
        },
        Case {
            name: "accept /topic",
            script: "
                a = /topic/from-the-start
                b = /
                b > publish from-the-start hello
                b < queued 1 full 0
                a < hello
            ",
        },
        Case {
            name: "open",
            script: "
                a = /greet
                a < open
                a > echo then
                a < then
            ",
        },
        Case {
            name: "close",
            script: "
                o = /topic/endings
                a = /?observer=endings
                a leaves 1000 bye
                o < closed client 1000 bye
                b = /?observer=endings
                b leaves 4321
                o < closed client 4321{nothing}
                c = /?observer=endings
                c > close 4002 enough
                c ends 4002 enough
                o < closed server 4002 enough
                d = /?observer=endings
                d is lost
                o < closed connection-lost 1006{nothing}
            ",
        },
        Case {
            name: "close in another language",
            script: "
                o = /topic/adieu
                a = /?observer=adieu
                a leaves 4000 à bientôt ✓
                o < closed client 4000 à bientôt ✓
            ",
        },
    ],
};
