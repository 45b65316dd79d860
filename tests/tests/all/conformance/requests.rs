//! HTTP requests.

use super::{Case, Group};

pub(super) const GROUP: Group = Group {
    name: "requests",
    cases: &[
        Case {
            name: "/hello",
            script: "
                GET /hello
                gives 200 hello
                field content-type text/plain{parameters}
            ",
        },
        Case {
            name: "/echo",
            script: "
                POST /echo some text, ✓
                gives 200 some text, ✓
                field content-type text/x-conformance
                POST /echo
                gives 200
            ",
        },
        Case {
            name: "/echo of a large body",
            script: "
                POST /echo {x*1048576}
                gives 200 {x*1048576}
            ",
        },
        Case {
            name: "/method",
            script: "
                GET /method
                gives 200 GET
                POST /method
                gives 200 POST
                PUT /method
                gives 200 PUT
                DELETE /method
                gives 200 DELETE
            ",
        },
        Case {
            name: "/head",
            script: "
                GET /head with x-b: two, x-a: one, x-c: a=1; b=\"2\"
                gives 200 {before}x-a: one\\nx-b: two\\nx-c: a=1; b=\"2\"{after}
            ",
        },
        Case {
            name: "/query",
            script: "
                GET /query?a=1&b=%20c+d&&e
                gives 200 a=1&b=%20c+d&&e
                GET /query
                gives 200
            ",
        },
        Case {
            name: "/status",
            script: "
                GET /status/204
                gives 204
                GET /status/418
                gives 418
                GET /status/503
                gives 503
            ",
        },
        Case {
            name: "/large",
            script: "
                GET /large/0
                gives 200
                GET /large/100000
                gives 200 {x*100000}
                GET /large/3000000
                gives 200 {x*3000000}
            ",
        },
        Case {
            name: "/events",
            script: "
                GET /events/3
                gives 200 data: 0\\n\\ndata: 1\\n\\ndata: 2\\n\\n
                field content-type text/event-stream{parameters}
            ",
        },
        Case {
            name: "/increment",
            script: "
                POST /increment/requests
                gives 200 1
                POST /increment/requests
                gives 200 2
                a = /
                a > increment requests 1
                a < 3
            ",
        },
        Case {
            name: "/publish",
            script: "
                a = /topic/from-a-request
                POST /publish/from-a-request hello, sockets
                gives 200 queued 1 full 0
                a < hello, sockets
                POST /publish/nobody-there hello
                gives 200 queued 0 full 0
            ",
        },
        Case {
            name: "/send",
            script: "
                a = /
                a > id
                a < {a}
                POST /send/{a} hello, a
                gives 200 queued
                a < hello, a
                POST /send/nobody hello
                gives 200 gone
            ",
        },
        Case {
            name: "/config",
            script: "
                GET /config/greeting
                gives 200 good morning
                GET /config/absent
                gives 200 none
            ",
        },
        Case {
            name: "no such command",
            script: "
                GET /of/no/such/name
                gives 404 no such command
            ",
        },
    ],
};
