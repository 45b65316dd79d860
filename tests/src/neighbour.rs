//! A well-behaved tenant on the same host: events at a modest pace, of which
//! each has to be answered, and how long that takes.
//!
//! Time during which the host's event loop, the clock which interrupts guests, or
//! the client's thread could run and got no processor is left out, and so is time
//! that other machines took from this one: it says what else there is to do. On a
//! machine of one's own that does nothing else there is none.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use http::Request;
use tokio::time::MissedTickBehavior;

use crate::host::Host;
use crate::http::{Client, full};
use crate::process::{Delay, Stolen};
use crate::socket::{Socket, handshake};
use crate::wait::{PATIENCE, found, until};

/// WebSockets; beside them there are requests.
const SOCKETS: u32 = 2;

/// Between two messages of one connection, and between two requests.
const PACE: Duration = Duration::from_millis(5);

/// The neighbour at work, in a thread of its own, so that what else the test does
/// delays nothing.
#[derive(Debug)]
pub struct Neighbour {
    thread: Option<JoinHandle<()>>,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    is_over: AtomicBool,
    answers: Mutex<Vec<Answer>>,
}

#[derive(Clone, Copy, Debug)]
struct Answer {
    begin: Instant,
    time: Duration,
}

/// How long the answers to some events took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// How many there were.
    pub count: usize,
    /// The one in the middle.
    pub median: Duration,
    /// Of a hundred, one was slower.
    pub p99: Duration,
    /// The slowest.
    pub most: Duration,
}

impl Neighbour {
    /// Begins. The host has one event loop, and at this authority the fixture
    /// answers.
    pub async fn start(host: &Host, authority: &str) -> Self {
        let shared = Arc::new(Shared::default());
        let (address, authority) = (host.address(), authority.to_owned());
        // A thread gives itself its name, some time after it has begun.
        let delay = async |name| found(name, async || Delay::of_thread(host.pid(), name)).await;
        let (event_loop, epoch) = (delay("loop-0").await, delay("epoch").await);
        let for_thread = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            let clock = Clock {
                shared: for_thread,
                delays: [event_loop, epoch, Delay::here()],
                stolen: Stolen::open(),
            };
            runtime.block_on(live(&clock, address, &authority));
        });
        Self {
            thread: Some(thread),
            shared,
        }
    }

    /// The times of events that began between two moments.
    pub async fn times(&self, begin: Instant, end: Instant) -> Times {
        until("the neighbour's answers", || {
            assert!(self.is_well(), "the neighbour has failed");
            // Each client has one event at a time.
            let answers = self.answers();
            let later = answers.iter().filter(|answer| answer.begin >= end);
            later.count() >= 2 * (SOCKETS as usize + 1)
        })
        .await;
        let answers = self.answers();
        let during = answers.iter().filter(|it| (begin..end).contains(&it.begin));
        let mut times: Vec<_> = during.flat_map(|it| in_all(it.time)).collect();
        assert!(!times.is_empty(), "the neighbour had nothing to do");
        times.sort_unstable();
        Times {
            count: times.len(),
            median: times[times.len() / 2],
            p99: times[times.len() * 99 / 100],
            most: times[times.len() - 1],
        }
    }

    fn answers(&self) -> std::sync::MutexGuard<'_, Vec<Answer>> {
        let answers = self.shared.answers.lock();
        answers.expect("no panic under this lock")
    }

    fn is_well(&self) -> bool {
        self.thread.as_ref().is_some_and(|it| !it.is_finished())
    }

    /// Ends. Panics if any event has failed.
    pub fn stop(mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        let thread = self.thread.take().expect("it is stopped once");
        thread.join().expect("no event of the neighbour has failed");
    }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
    }
}

/// The time of an event, and of those that would have waited behind it if its
/// client had not waited for it first.
fn in_all(time: Duration) -> impl Iterator<Item = Duration> {
    std::iter::successors(Some(time), |time| time.checked_sub(PACE))
}

struct Clock {
    shared: Arc<Shared>,
    delays: [Delay; 3],
    stolen: Stolen,
}

impl Clock {
    fn delay(&self) -> Duration {
        let delays = self.delays.iter().map(Delay::total);
        delays.sum::<Duration>() + self.stolen.total()
    }

    /// Does something again and again, and notes how long it takes.
    async fn pace(&self, lane: u32, mut event: impl AsyncFnMut()) {
        let start = tokio::time::Instant::now() + PACE * lane / (SOCKETS + 1);
        let mut ticks = tokio::time::interval_at(start, PACE);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !self.shared.is_over.load(Ordering::Relaxed) {
            ticks.tick().await;
            let before = self.delay();
            let begin = Instant::now();
            let answered = tokio::time::timeout(PATIENCE, event()).await;
            answered.expect("an answer to the neighbour");
            let time = begin.elapsed();
            let delay = self.delay().saturating_sub(before);
            let time = time.saturating_sub(delay);
            let mut answers = self
                .shared
                .answers
                .lock()
                .expect("no panic under this lock");
            answers.push(Answer { begin, time });
        }
    }
}

async fn live(clock: &Clock, address: SocketAddr, authority: &str) {
    let mut sockets = Vec::new();
    for _ in 0..SOCKETS {
        let mut request = handshake("/");
        let value = authority.parse().expect("a header's value");
        request.headers_mut().insert("host", value);
        let stream = crate::http::connect_to(address).await;
        let socket = Socket::over(stream, request).await;
        sockets.push(socket.expect("the neighbour's handshake is accepted"));
    }
    let mut client = Client::connect_to(address).await;
    let messages = sockets.iter_mut().zip(0..).map(async |(socket, lane)| {
        let mut number = 0;
        clock
            .pace(lane, async || {
                number += 1;
                let text = format!("{lane}-{number}");
                assert_eq!(socket.ask(&format!("echo {text}")).await, text);
            })
            .await;
    });
    let requests = clock.pace(SOCKETS, async || {
        let request = Request::get("/hello").header("host", authority);
        let request = request.body(full("")).expect("a request");
        let response = client.send(request).await.expect("an answer");
        assert_eq!((response.status.as_u16(), response.text()), (200, "hello"));
    });
    tokio::join!(futures_util::future::join_all(messages), requests);
}
