//! What goes wrong in a handler ends one event, and nobody else notices.

use super::{Case, Group};

pub(super) const GROUP: Group = Group {
    name: "failures",
    cases: &[
        Case {
            name: "fail",
            script: "
                a = /
                b = /
                a > fail for a good reason
                a ends 1011 internal error
                log for a good reason
                b > echo still here
                b < still here
            ",
        },
        Case {
            name: "trap",
            script: "
                a = /before
                a > remember what was there
                a < remembered 1
                b = /
                b > trap
                b ends 1011 internal error
                log told to trap
                log {trace}
                a > attachment
                a < 1 what was there
                c = /
                c > echo another
                c < another
            ",
        },
        Case {
            name: "accept /trap",
            script: "
                a = /
                refused /trap
                gives 500
                log told to trap in accept
                a > echo still here
                a < still here
            ",
        },
        Case {
            name: "open /trap-open",
            script: "
                a = /
                b = /trap-open
                b ends 1011 internal error
                a > echo still here
                a < still here
            ",
        },
        Case {
            name: "/fail",
            script: "
                GET /fail
                gives 500
                GET /hello
                gives 200 hello
            ",
        },
        Case {
            name: "/trap",
            script: "
                a = /
                GET /trap
                gives 500
                log told to trap
                GET /hello
                gives 200 hello
                a > echo still here
                a < still here
            ",
        },
    ],
};
