//! Handlers that wait: for time to pass, and for other servers.

use super::{Case, Group};

pub(super) const GROUP: Group = Group {
    name: "outbound",
    cases: &[
        Case {
            name: "sleep",
            script: "
                a = /
                b = /
                a > sleep 500
                b > echo meanwhile
                b < meanwhile
                a < slept
            ",
        },
        Case {
            name: "/sleep",
            script: "
                GET /sleep/50
                gives 200 slept
            ",
        },
        Case {
            name: "fetch",
            script: "
                a = /
                a > fetch http://{upstream}/
                a < 200 from afar
                a > fetch http://127.0.0.1:1/
                a < error: {why}
            ",
        },
        Case {
            name: "/fetch",
            script: "
                GET /fetch?url=http%3A%2F%2F{upstream}%2F
                gives 200 200 from afar
                GET /fetch?url=http%3A%2F%2F127.0.0.1%3A1%2F
                gives 200 error: {why}
            ",
        },
    ],
};
