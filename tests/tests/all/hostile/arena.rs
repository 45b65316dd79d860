//! Where hostile guests are let loose: one host, a neighbour at work, and one
//! guest after the other.

use std::time::{Duration, Instant};

use futures_util::future::{LocalBoxFuture, join_all};
use holdfast_tests::host::Host;
use holdfast_tests::http::{Response, full, request, whole};
use holdfast_tests::neighbour::{Neighbour, Times};
use holdfast_tests::place;
use holdfast_tests::process::resident_bytes;
use holdfast_tests::raw::Raw;
use holdfast_tests::setup::Setup;
use holdfast_tests::socket::{End, Refusal, Socket, handshake};
use holdfast_tests::wait::{found, until};
use tokio::time::timeout;

/// How long each guest is let loose at least, over and over: once at first, twice
/// as long the second time, and so on. One stall is more than one of a hundred
/// events in a short time, and no more than it is in a longer one.
const TIME: Duration = Duration::from_secs(1);

/// How long the neighbour is driven before it is watched.
const WARM_UP: Duration = Duration::from_millis(500);

/// How long the neighbour is watched alone before the first of them.
const QUIET: Duration = Duration::from_secs(2);

/// Clients of a hostile guest at once.
const CLIENTS: usize = 4;

/// The neighbour may be that much slower than when it is alone, at the 99th of a
/// hundred events.
const SLOWER_MAX: u32 = 3;

/// Times below this are noise of a host without optimisation. One with it has no
/// such excuse.
const NOISE: Duration = Duration::from_millis(if cfg!(debug_assertions) { 20 } else { 0 });

/// A machine that is busy with something else for a while is no fault of the
/// host's, and does not come again; a hole does.
const ATTEMPTS: u32 = 6;

/// How long an allocator may take to return pages, and instances to go.
const BACK_TIMEOUT: Duration = Duration::from_secs(20);

/// How long a response may take to break off.
const BREAK_TIMEOUT: Duration = Duration::from_secs(10);

/// How often at most a response is asked for that breaks off. Attackers share
/// instances: whoever comes just when the trap of another one ends theirs gets
/// a 500.
const BREAK_ATTEMPTS_MAX: usize = 5;

/// One hostile guest.
pub(super) struct Case {
    /// Of its plugin.
    pub(super) name: &'static str,
    /// A fixture, a copy of one (`copy of NAME`), or a file in `tests/hostile`.
    guest: &'static str,
    /// Its limits, as in the manifest.
    limits: &'static str,
    /// More keys of its plugin.
    keys: String,
    attack: Attack,
}

/// What it is told to do, and what comes of it.
pub(super) enum Attack {
    /// A request to this path is answered with this status.
    Status(String, u16),
    /// A request to this path has not been answered at its deadline: 504; 503 if
    /// the guest has not even begun; 500 if it had, in the instance which the end
    /// of another took with it.
    Overdue(String),
    /// A request to this path is answered with 200 and this text, or one that
    /// begins so.
    Text(String, &'static str),
    /// The body of the answer to a request to this path breaks off.
    Broken(String),
    /// This message closes the connection with this code.
    Close(&'static str, u16),
    /// This message is answered by this text, or one that begins so.
    Answer(&'static str, &'static str),
    /// Anything else, done once.
    Own(Own),
}

type Own = Box<dyn for<'a> Fn(&'a Arena, &'a Case) -> LocalBoxFuture<'a, Ended>>;

/// See [`Attack::Status`].
pub(super) fn status(path: impl Into<String>, status: u16) -> Attack {
    Attack::Status(path.into(), status)
}

/// See [`Attack::Overdue`].
pub(super) fn overdue(path: impl Into<String>) -> Attack {
    Attack::Overdue(path.into())
}

/// See [`Attack::Text`].
pub(super) fn text(path: impl Into<String>, text: &'static str) -> Attack {
    Attack::Text(path.into(), text)
}

/// See [`Attack::Broken`].
pub(super) fn broken(path: impl Into<String>) -> Attack {
    Attack::Broken(path.into())
}

/// See [`Attack::Close`].
pub(super) fn close(message: &'static str, code: u16) -> Attack {
    Attack::Close(message, code)
}

/// See [`Attack::Answer`].
pub(super) fn answer(message: &'static str, answer: &'static str) -> Attack {
    Attack::Answer(message, answer)
}

/// See [`Attack::Own`].
pub(super) fn own(
    attack: impl for<'a> Fn(&'a Arena, &'a Case) -> LocalBoxFuture<'a, Ended> + 'static,
) -> Attack {
    Attack::Own(Box::new(attack))
}

/// Whether a guest has ended as it should; if not, what came instead.
pub(super) type Ended = Result<(), String>;

/// As it should if that is so.
pub(super) fn ended(well: bool, instead: impl std::fmt::Debug) -> Ended {
    if well {
        Ok(())
    } else {
        Err(format!("{instead:.500?}"))
    }
}

/// A guest that does this.
pub(super) fn case(name: &'static str, guest: &'static str, attack: Attack) -> Case {
    Case {
        name,
        guest,
        limits: "",
        keys: String::new(),
        attack,
    }
}

impl Case {
    /// With limits, as in the manifest.
    pub(super) fn limits(self, limits: &'static str) -> Self {
        Self { limits, ..self }
    }

    /// With more keys of its plugin.
    pub(super) fn keys(self, keys: impl Into<String>) -> Self {
        let keys = keys.into();
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

/// Lets each of these loose. `sections` of the manifest have the limits of the
/// tenant that owns them all, `hostile`, and of the host.
pub(super) async fn let_loose(cases: Vec<Case>, sections: &str) {
    let_loose_in(|setup| setup, cases, sections).await;
}

/// The same on a host with more to it.
pub(super) async fn let_loose_in(
    more: impl FnOnce(Setup) -> Setup,
    cases: Vec<Case>,
    sections: &str,
) {
    let arena = Arena::open(more, &cases, sections).await;
    let first_bytes = arena.settled_bytes();
    let mut wrong = Vec::new();
    for case in &cases {
        if let Err(instead) = arena.check(case).await {
            wrong.push(format!("{}: {instead}", case.name));
        }
    }
    println!(
        "resident bytes: {first_bytes} before, {} after all",
        arena.settled_bytes()
    );
    assert!(wrong.is_empty(), "{wrong:#?}");
    arena.neighbour.stop();
    arena.host.stop().await;
}

impl Arena {
    async fn open(more: impl FnOnce(Setup) -> Setup, cases: &[Case], sections: &str) -> Self {
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
        text += sections;
        let first = case("first", "hostile", status("/act/trap", 500));
        for case in cases.iter().chain([&first]) {
            text += &plugin(case);
        }
        let setup = cases.iter().fold(Setup::manifest(&text), |setup, case| {
            match component(case.guest) {
                Some(component) => setup.file(&format!("{}.wasm", case.name), component),
                None => setup,
            }
        });
        // One event loop, so that nobody can step aside.
        let host = more(setup).host("threads", 1).alone().start().await;
        let neighbour = Neighbour::start(&host, "neighbour.example").await;
        let mut arena = Self {
            host,
            neighbour,
            quiet: Times::default(),
        };
        // First events make instances, and use code for the first time.
        for path in ["/hello", "/act/trap"] {
            arena.get(&first, path).await;
        }
        let start = Instant::now();
        arena.neighbour.times(start, start + WARM_UP).await;
        arena.quiet = quiet(&arena.neighbour).await;
        println!("quiet: {:?}", arena.quiet);
        arena
    }

    fn settled_bytes(&self) -> u64 {
        resident_bytes(self.host.pid())
    }

    /// Lets one loose, as often as it takes to be sure.
    async fn check(&self, case: &Case) -> Ended {
        let before = self.settled_bytes();
        let most = (self.quiet.p99 * SLOWER_MAX).max(NOISE);
        for attempt in 1.. {
            let times = self.attack(case, TIME * attempt).await?;
            println!("{}: {times:?}", case.name);
            if times.p99 <= most {
                break;
            }
            if attempt == ATTEMPTS {
                return Err(format!("{:?} for the neighbour, not {most:?}", times.p99));
            }
        }
        let most = before + before / 10;
        let is_back = async { until("memory", || self.settled_bytes() <= most).await };
        if timeout(BACK_TIMEOUT, is_back).await.is_err() {
            return Err(format!("{} bytes, not {most}", self.settled_bytes()));
        }
        println!(
            "{}: {before} bytes, then {}",
            case.name,
            self.settled_bytes()
        );
        Ok(())
    }

    async fn attack(&self, case: &Case, time: Duration) -> Result<Times, String> {
        let begin = Instant::now();
        if let Attack::Own(attack) = &case.attack {
            attack(self, case).await?;
            // It may be over sooner than anything can be measured.
            tokio::time::sleep_until((begin + time).into()).await;
        } else {
            let clients = (0..CLIENTS).map(async |_| {
                while begin.elapsed() < time {
                    self.once(case).await?;
                }
                Ok::<_, String>(())
            });
            join_all(clients).await.into_iter().collect::<Ended>()?;
        }
        let end = Instant::now();
        Ok(self.neighbour.times(begin, end).await)
    }

    async fn once(&self, case: &Case) -> Ended {
        match &case.attack {
            Attack::Status(path, status) => {
                let response = self.get(case, path).await;
                ended(response.status == *status, response)
            }
            Attack::Overdue(path) => {
                let response = self.get(case, path).await;
                let is_overdue = match response.status.as_u16() {
                    503 | 504 => true,
                    500 => !self.has_trapped(case),
                    _ => false,
                };
                ended(is_overdue, response)
            }
            Attack::Text(path, text) => {
                let response = self.get(case, path).await;
                let is_text = response.status == 200 && response.text().starts_with(*text);
                ended(is_text, response)
            }
            Attack::Broken(path) => {
                let mut text = String::new();
                let mut has_ended = false;
                for _ in 0..BREAK_ATTEMPTS_MAX {
                    let mut raw = self.raw(case, path).await;
                    let (answer, end) = raw.rest_within(BREAK_TIMEOUT).await;
                    text = String::from_utf8_lossy(&answer).into_owned();
                    has_ended = end;
                    if !text.starts_with("HTTP/1.1 500") {
                        break;
                    }
                }
                let is_whole = text.ends_with("\r\n0\r\n\r\n");
                let is_broken = text.starts_with("HTTP/1.1 200") && has_ended && !is_whole;
                ended(is_broken, text)
            }
            Attack::Close(message, code) => {
                let mut socket = self.socket(case, "/").await;
                socket.send(message).await;
                let end = socket.end().await;
                ended(matches!(&end, End::Closed(it, _) if it == code), end)
            }
            Attack::Answer(message, answer) => {
                let mut socket = self.socket(case, "/").await;
                let text = socket.ask(message).await;
                ended(text.starts_with(*answer), text)
            }
            Attack::Own(_) => Ok(()),
        }
    }

    fn has_trapped(&self, case: &Case) -> bool {
        let plugin = format!("plugin=\"{}\"", case.name);
        let log = self.host.log();
        let mut lines = log.lines();
        lines.any(|line| line.contains("the guest trapped") && line.contains(&plugin))
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
        self.raw_with(case, path, "").await
    }

    /// The same with more header fields.
    pub(super) async fn raw_with(&self, case: &Case, path: &str, fields: &str) -> Raw {
        let mut raw = Raw::connect(&self.host).await;
        let host = case.authority();
        let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n{fields}\r\n");
        raw.send(request.as_bytes()).await;
        raw
    }

    /// Sends a last GET on a connection that has been used.
    pub(super) async fn ask_raw(&self, raw: &mut Raw, case: &Case, path: &str) {
        let host = case.authority();
        let close = "connection: close\r\n";
        let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n{close}\r\n");
        // The host may have ended it.
        raw.try_send(request.as_bytes()).await;
    }

    /// Opens a WebSocket to a guest, as somebody who does nothing by himself.
    pub(super) async fn raw_websocket(&self, case: &Case) -> Raw {
        let fields = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
                      sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
        let mut raw = self.raw_with(case, "/", fields).await;
        let head = raw.head().await;
        assert!(head.starts_with("HTTP/1.1 101"), "{head}");
        raw
    }

    /// Takes a guest that has a file of its own out of the manifest.
    pub(super) async fn remove(&self, case: &Case) {
        self.host.edit(&plugin(case), &absence(case));
        self.host.logged(&["plugin removed", case.name]).await;
    }

    /// Puts it back, so that it can be removed again.
    pub(super) async fn put_back(&self, case: &Case) {
        self.host.edit(&absence(case), &plugin(case));
        let is_back = async || (self.get(case, "/hello").await.status == 200).then_some(());
        found("the guest that was put back", is_back).await;
    }

    /// Has the neighbour's guest write to the log, and waits until it is there.
    pub(super) async fn says_in_the_log(&self, line: &str) {
        let mut socket = open(&self.host, "neighbour.example", "/").await.unwrap();
        socket.send(&format!("log {line}")).await;
        self.host.logged(&[line, "tenant=\"neighbour\""]).await;
    }

    /// Opens a WebSocket to a guest.
    pub(super) async fn socket(&self, case: &Case, path: &str) -> Socket {
        let opened = self.offer(case, path).await;
        opened.unwrap_or_else(|refusal| panic!("{}: {refusal:?}", case.name))
    }

    /// Offers a WebSocket to a guest.
    pub(super) async fn offer(&self, case: &Case, path: &str) -> Result<Socket, Box<Refusal>> {
        open(&self.host, &case.authority(), path).await
    }
}

async fn open(host: &Host, authority: &str, path: &str) -> Result<Socket, Box<Refusal>> {
    let mut request = handshake(path);
    let authority = authority.parse().unwrap();
    request.headers_mut().insert("host", authority);
    Socket::offer(host, request).await
}

async fn quiet(neighbour: &Neighbour) -> Times {
    let begin = Instant::now();
    neighbour.times(begin, begin + QUIET).await
}

/// The component of a guest that has a file of its own.
fn component(guest: &str) -> Option<Vec<u8>> {
    if let Some(name) = guest.strip_prefix("copy of ") {
        return Some(std::fs::read(place::guest(name)).unwrap());
    }
    let file = guest
        .ends_with(".wat")
        .then(|| place::hostile().join(guest))?;
    Some(wat::parse_file(file).unwrap())
}

/// Stands in the manifest for a guest that was removed.
fn absence(case: &Case) -> String {
    format!("# Without {}.\n", case.name)
}

fn plugin(case: &Case) -> String {
    let (name, limits, keys) = (case.name, case.limits, &case.keys);
    let component = match component(case.guest) {
        Some(_) => format!("{name}.wasm"),
        None => format!("{{{}.wasm}}", case.guest),
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
        event_timeout_ms = 1000
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
