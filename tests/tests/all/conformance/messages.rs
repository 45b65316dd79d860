//! Messages of every kind and size.

use super::{Case, Group};

pub(super) const GROUP: Group = Group {
    name: "messages",
    cases: &[
        Case {
            name: "echo",
            script: "
                a = /
                a > echo hello
                a < hello
                a > echo two  words, and a \"quote\"
                a < two  words, and a \"quote\"
                a > echo Grüße, 世界, 🦀
                a < Grüße, 世界, 🦀
            ",
        },
        Case {
            name: "echo of a large text",
            script: "
                a = /
                a > echo {x*1048571}
                a < {x*1048571}
                a > echo {é*500000}
                a < {é*500000}
            ",
        },
        Case {
            name: "binary",
            script: "
                a = /
                a >> 00ff80fe0a0d
                a << 00ff80fe0a0d
                a >>
                a <<
                a >> 68656c6c6f
                a << 68656c6c6f
                a > echo text
                a < text
            ",
        },
        Case {
            name: "large binary",
            script: "
                a = /
                a >> {00ff*524288}
                a << {00ff*524288}
            ",
        },
        Case {
            name: "large",
            script: "
                a = /
                a > large 0
                a < {nothing}
                a > large 100000
                a < {x*100000}
                a > large 1048576
                a < {x*1048576}
            ",
        },
        Case {
            name: "too-large",
            script: "
                a = /
                a > too-large 1048577
                a < too-large 1048576
            ",
        },
        Case {
            name: "id",
            script: "
                a = /
                b = /
                a > id
                a < {a}
                b > id
                b < {b}
                a > id
                a < {a}
                b > send {a} from b
                b < queued
                a < from b
            ",
        },
        Case {
            name: "order",
            script: "
                a = /
                a > echo 1
                a > echo 2
                a >> 03
                a > echo 4
                a > echo 5
                a < 1
                a < 2
                a << 03
                a < 4
                a < 5
            ",
        },
        Case {
            name: "time",
            script: "
                a = /
                a > time
                a < 1{milliseconds:digits}
            ",
        },
        Case {
            name: "random",
            script: "
                a = /
                a > random
                a < {one:hex}
                a > random
                a < {other:hex}
            ",
        },
    ],
};
