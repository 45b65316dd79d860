//! What a handler can ask of the host.

use super::{Case, Group};

pub(super) const GROUP: Group = Group {
    name: "capabilities",
    cases: &[
        Case {
            name: "remember",
            script: "
                a = /before
                a > remember after
                a < remembered 1
                a > attachment
                a < 1 after
                a > remember at last, ünïcode
                a < remembered 2
                a > attachment
                a < 2 at last, ünïcode
            ",
        },
        Case {
            name: "stale",
            script: "
                a = /kept
                a > stale other
                a < conflict 0
                a > attachment
                a < 0 /kept
            ",
        },
        Case {
            name: "peer",
            script: "
                a = /this-is-a
                a > id
                a < {a}
                b = /
                b > peer {a}
                b < /this-is-a
                b > peer nobody
                b < none
                a leaves 1000 bye
                b > peer {a}
                b < none
            ",
        },
        Case {
            name: "send",
            script: "
                a = /
                b = /
                a > id
                a < {a}
                b > send {a} hello, a
                b < queued
                a < hello, a
                b > send nobody hello
                b < gone
            ",
        },
        Case {
            name: "close",
            script: "
                a = /
                a > close 999 no such code
                a < invalid-code
                a > close 1005 not to be sent
                a < invalid-code
                a > close 4000 {x*124}
                a < reason-too-long
                a > close 4000 {x*123}
                a ends 4000 {x*123}
            ",
        },
        Case {
            name: "subscribe",
            script: "
                a = /
                a > subscribe one
                a < subscribed
                a > subscribe one
                a < subscribed
                a > subscribe {x*257}
                a < invalid-name 256
            ",
        },
        Case {
            name: "too many topics",
            script: "
                a = /
                a takes 64 topics
                a > subscribe one-more
                a < too-many 64
                a > unsubscribe topic-1
                a < unsubscribed
                a > subscribe one-more
                a < subscribed
            ",
        },
        Case {
            name: "unsubscribe",
            script: "
                a = /topic/leaving
                a > unsubscribe leaving
                a < unsubscribed
                a > unsubscribe never-there
                a < unsubscribed
                a > publish leaving nobody hears it
                a < queued 0 full 0
            ",
        },
        Case {
            name: "publish",
            script: "
                a = /topic/news
                b = /topic/news
                c = /
                c > publish news it rains
                c < queued 2 full 0
                a < it rains
                b < it rains
                a > publish news it pours
                a < it pours
                a < queued 2 full 0
                b < it pours
            ",
        },
        Case {
            name: "others",
            script: "
                a = /topic/table
                b = /topic/table
                a > others table hello, all
                a < queued 1 full 0
                b < hello, all
            ",
        },
        Case {
            name: "count",
            script: "
                a = /topic/counted
                a > count counted
                a < 1
                b = /topic/counted
                a > count counted
                a < 2
                a > count nobody-there
                a < 0
            ",
        },
        Case {
            name: "subscribers",
            script: "
                a = /topic/listed
                a > id
                a < {a}
                a > subscribers listed
                a < {a}
                a > subscribers nobody-there
                a < {nothing}
                b = /topic/listed
                a > subscribers listed
                a < {one} {two}
            ",
        },
        Case {
            name: "config",
            script: "
                a = /
                a > config greeting
                a < good morning
                a > config absent
                a < none
            ",
        },
        Case {
            name: "set",
            script: "
                a = /
                a > set colour light blue, ✓
                a < done
                a > get colour
                a < light blue, ✓
                a > set colour red
                a < done
                b = /
                b > get colour
                b < red
            ",
        },
        Case {
            name: "get",
            script: "
                a = /
                a > get never-set
                a < none
            ",
        },
        Case {
            name: "delete",
            script: "
                a = /
                a > set short-lived yes
                a < done
                a > exists short-lived
                a < true
                a > delete short-lived
                a < done
                a > exists short-lived
                a < false
                a > delete short-lived
                a < done
            ",
        },
        Case {
            name: "exists",
            script: "
                a = /
                a > exists nothing
                a < false
            ",
        },
        Case {
            name: "increment",
            script: "
                a = /
                a > increment visits 1
                a < 1
                a > increment visits 41
                a < 42
                a > increment visits -2
                a < 40
            ",
        },
        Case {
            name: "keys",
            script: "
                a = /
                a > set keys-b 1
                a < done
                a > set keys-a 1
                a < done
                a > keys
                a < {some}keys-a keys-b{others}
            ",
        },
        Case {
            name: "log",
            script: "
                a = /
                a > log info all is well
                a < logged
                log INFO | all is well
                a > log warn not so well
                a < logged
                log WARN | not so well
                a > log error not at all
                a < logged
                log ERROR | not at all
            ",
        },
        Case {
            name: "print",
            script: "
                a = /
                a > print to standard output
                a < printed
                log to standard output
            ",
        },
    ],
};
