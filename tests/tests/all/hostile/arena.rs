//! Where hostile guests are let loose: one host, a neighbour at work, and one
//! guest after the other.

use std::fmt::Write;
use std::time::{Duration, Instant};

use futures_util::future::{LocalBoxFuture, join_all};
use holdfast_tests::host::Host;
use holdfast_tests::http::{Response, full, request, whole};
use holdfast_tests::neighbour::{Neighbour, Times};
use holdfast_tests::process::resident_bytes;
use holdfast_tests::raw::Raw;
use holdfast_tests::setup::Setup;
use holdfast_tests::socket::{End, Socket, handshake};
use holdfast_tests::wait::until;
use holdfast_tests::{place, scale};

/// How long each guest is let loose at least, over and over.
const TIME: Duration = Duration::from_secs(1);

/// How long the neighbour is watched alone before the first of them.
const QUIET: Duration = Duration::from_secs(2);

/// Clients of a hostile guest at once.
const CLIENTS: usize = 4;

/// The neighbour may be that much slower than when it is alone, at the 99th of a
/// hundred events.
const SLOWER_MAX: u32 = 3;

/// Times below this are noise: of a host without optimisation on a machine with
/// much else to do, and of one that is measured in earnest.
const NOISE_MS: (u64, u64) = (5, 20);

/// A machine that is busy with something else for a while is no fault of the
/// host's, and does not come again; a hole does.
const ATTEMPTS: u32 = 3;

/// What an allocator keeps for later, and pages of the program that were used for
/// the first time.
const KEPT_BYTES: u64 = 4 << 20;

/// One hostile guest.
pub(super) struct Case {
    /// Of its plugin.
    pub(super) name: &'static str,
    /// A fixture, or a file in `tests/hostile`.
    pub(super) guest: &'static str,
    /// Its limits, as in the manifest.
    pub(super) limits: &'static str,
    /// More keys of its plugin.
    pub(super) keys: String,
    pub(super) attack: Attack,
}

/// What it is told to do, and what comes of it.
pub(super) enum Attack {
    /// A request to this path is answered with this status.
    Status(&'static str, u16),
    /// A request to this path is answered with 200 and this text.
    Text(&'static str, &'static str),
    /// The body of the answer to a request to this path breaks off.
    Broken(&'static str),
    /// This message closes the connection with this code.
    Close(&'static str, u16),
    /// This message is answered by this text, or one that begins so.
    Answer(&'static str, &'static str),
    /// Anything else.
    Own(for<'a> fn(&'a Arena, &'a Case) -> LocalBoxFuture<'a, ()>),
}

impl Case {
    pub(super) fn new(name: &'static str, guest: &'static str, attack: Attack) -> Self {
        Self {
            name,
            guest,
            limits: "",
            keys: String::new(),
            attack,
        }
    }

    /// With limits, as in the manifest.
    pub(super) fn limits(self, limits: &'static str) -> Self {
        Self { limits, ..self }
    }

    /// With more keys of its plugin.
    pub(super) fn keys(self, keys: String) -> Self {
        Self { keys, ..self }
    }

    fn authority(&self) -> String {
        format!("{}.hostile.example", self.name)
    }
}

/// The host, and who is there besides.
pub(super) struct Arena {
    pub(super) host: Host,
    neighbour: Neighbour,
    quiet: Times,
}

/// Lets each of these loose. `tenant` has the limits of the tenant that owns them
/// all, as in the manifest.
pub(super) async fn let_loose(cases: Vec<Case>, tenant: &str) {
    let arena = Arena::open(&cases, tenant).await;
    let first_bytes = arena.settled_bytes();
    for case in &cases {
        arena.check(case).await;
    }
    println!(
        "resident bytes: {first_bytes} before, {} after all",
        arena.settled_bytes()
    );
    arena.neighbour.stop();
    arena.host.stop().await;
}

impl Arena {
    async fn open(cases: &[Case], tenant: &str) -> Self {
        let mut text = "
            [[plugin]]
            name = \"echo\"
            tenant = \"neighbour\"
            component = \"{plain.wasm}\"
            [[route]]
            host = \"neighbour.example\"
            path = \"/\"
            plugin = \"echo\"
            tenant = \"neighbour\"
            "
        .to_owned();
        if !tenant.is_empty() {
            let _ = writeln!(text, "[tenant.hostile.limits]\n{tenant}");
        }
        for case in cases {
            text += &plugin(case);
        }
        let files = cases.iter().filter(|case| is_file(case.guest));
        let setup = files.fold(Setup::manifest(&text), |setup, case| {
            let path = place::hostile().join(case.guest);
            let component = wat::parse_file(path).unwrap();
            setup.file(&format!("{}.wasm", case.name), component)
        });
        let host = setup.host("threads", 2).alone().start().await;
        let neighbour = Neighbour::start(&host, "neighbour.example");
        let start = Instant::now();
        neighbour.caught_up(start).await;
        let quiet = quiet(&neighbour).await;
        Self {
            host,
            neighbour,
            quiet,
        }
    }

    fn settled_bytes(&self) -> u64 {
        resident_bytes(self.host.pid())
    }

    /// Lets one loose, as often as it takes to be sure.
    async fn check(&self, case: &Case) {
        let before = self.settled_bytes();
        for attempt in 1.. {
            let times = self.attack(case).await;
            let floor = scale::count(NOISE_MS.0 as usize, NOISE_MS.1 as usize);
            let most = (self.quiet.p99 * SLOWER_MAX).max(Duration::from_millis(floor as u64));
            println!("{}: {times:?}, quiet p99 {:?}", case.name, self.quiet.p99);
            if times.p99 <= most {
                break;
            }
            assert!(attempt < ATTEMPTS, "{}: {times:?}, not {most:?}", case.name);
        }
        let most = before + before / 10 + KEPT_BYTES;
        let what = format!("{}: less memory than {most} bytes again", case.name);
        until(&what, || self.settled_bytes() <= most).await;
        println!(
            "{}: {before} bytes, then {}",
            case.name,
            self.settled_bytes()
        );
    }

    async fn attack(&self, case: &Case) -> Times {
        let begin = Instant::now();
        let clients = (0..CLIENTS).map(async |_| {
            while begin.elapsed() < TIME {
                self.once(case).await;
            }
        });
        match &case.attack {
            Attack::Own(attack) => {
                attack(self, case).await;
                // It may be over sooner than anything can be measured.
                tokio::time::sleep_until((begin + TIME).into()).await;
            }
            _ => {
                join_all(clients).await;
            }
        }
        let end = Instant::now();
        self.neighbour.caught_up(end).await;
        self.neighbour.times(begin, end)
    }

    async fn once(&self, case: &Case) {
        let name = case.name;
        match &case.attack {
            Attack::Status(path, status) => {
                let response = self.get(case, path).await;
                assert_eq!(response.status, *status, "{name}: {response:?}");
            }
            Attack::Text(path, text) => {
                let response = self.get(case, path).await;
                let answer = (response.status.as_u16(), response.text());
                assert!(
                    answer.0 == 200 && answer.1.starts_with(text),
                    "{name}: {answer:?}"
                );
            }
            Attack::Broken(path) => {
                let answer = self.raw(case, path).await.rest().await;
                let text = String::from_utf8_lossy(&answer);
                assert!(text.starts_with("HTTP/1.1 200"), "{name}: {text:.200}");
                assert!(!text.ends_with("\r\n0\r\n\r\n"), "{name} has ended well");
            }
            Attack::Close(message, code) => {
                let mut socket = self.socket(case, "/").await;
                socket.send(message).await;
                let end = socket.end().await;
                assert!(
                    matches!(&end, End::Closed(it, _) if it == code),
                    "{name}: {end:?}"
                );
            }
            Attack::Answer(message, answer) => {
                let mut socket = self.socket(case, "/").await;
                let text = socket.ask(message).await;
                assert!(text.starts_with(answer), "{name}: {text}");
            }
            Attack::Own(_) => {}
        }
    }

    /// Sends a GET to a guest, and reads the whole answer.
    pub(super) async fn get(&self, case: &Case, path: &str) -> Response {
        let mut request = request("GET", path, full(""));
        let authority = case.authority().parse().unwrap();
        request.headers_mut().insert("host", authority);
        whole(&self.host, request).await
    }

    /// Sends a GET to a guest, on a connection that reads what comes.
    pub(super) async fn raw(&self, case: &Case, path: &str) -> Raw {
        let mut raw = Raw::connect(&self.host).await;
        let request = format!("GET {path} HTTP/1.1\r\nhost: {}\r\n\r\n", case.authority());
        raw.send(request.as_bytes()).await;
        raw
    }

    /// Opens a WebSocket to a guest.
    pub(super) async fn socket(&self, case: &Case, path: &str) -> Socket {
        let mut request = handshake(path);
        let authority = case.authority().parse().unwrap();
        request.headers_mut().insert("host", authority);
        let opened = Socket::offer(&self.host, request).await;
        opened.unwrap_or_else(|refusal| panic!("{}: {refusal:?}", case.name))
    }
}

async fn quiet(neighbour: &Neighbour) -> Times {
    let begin = Instant::now();
    tokio::time::sleep(QUIET).await;
    let end = Instant::now();
    neighbour.caught_up(end).await;
    neighbour.times(begin, end)
}

fn is_file(guest: &str) -> bool {
    guest.ends_with(".wat")
}

fn plugin(case: &Case) -> String {
    let (name, limits, keys) = (case.name, case.limits, &case.keys);
    let component = match is_file(case.guest) {
        true => format!("{name}.wasm"),
        false => format!("{{{}.wasm}}", case.guest),
    };
    let authority = case.authority();
    format!(
        "
        [[plugin]]
        name = \"{name}\"
        tenant = \"hostile\"
        component = \"{component}\"
        {keys}
        [plugin.limits]
        event_timeout_ms = 500
        instance_idle_ms = 500
        {limits}
        [[route]]
        host = \"{authority}\"
        path = \"/\"
        plugin = \"{name}\"
        tenant = \"hostile\"
        "
    )
}
