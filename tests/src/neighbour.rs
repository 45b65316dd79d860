//! A well-behaved tenant on the same host: events at a modest pace, of which
//! each has to be answered, and how long that takes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use http::Request;
use tokio::time::MissedTickBehavior;

use crate::host::Host;
use crate::http::{Client, full};
use crate::socket::{Socket, handshake};
use crate::wait::PATIENCE;

/// So many of each: the host deals connections to its event loops evenly.
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
    /// When an event was due, and when its answer was there.
    answers: Mutex<Vec<(Instant, Instant)>>,
}

/// How long the answers to some events took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    /// Begins. The fixture has to answer at this authority.
    pub fn start(host: &Host, authority: &str) -> Self {
        let shared = Arc::new(Shared::default());
        let thread = std::thread::spawn({
            let (shared, address, authority) =
                (Arc::clone(&shared), host.address(), authority.to_owned());
            move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .expect("a runtime");
                runtime.block_on(live(&shared, address, &authority));
            }
        });
        Self {
            thread: Some(thread),
            shared,
        }
    }

    /// The times of events that were due between two moments, in the past.
    pub fn times(&self, begin: Instant, end: Instant) -> Times {
        let answers = self.answers();
        let due = answers.iter().filter(|(due, _)| (begin..end).contains(due));
        let mut times: Vec<_> = due.map(|(due, answered)| *answered - *due).collect();
        times.sort_unstable();
        assert!(!times.is_empty(), "the neighbour had nothing to do");
        Times {
            count: times.len(),
            median: times[times.len() / 2],
            p99: times[times.len() * 99 / 100],
            most: times[times.len() - 1],
        }
    }

    /// Waits until all events are answered that were due before this moment: no
    /// event comes later than the pace from then on, and each is waited for.
    pub async fn caught_up(&self, moment: Instant) {
        let lanes = (SOCKETS + 1) as usize;
        crate::wait::until("the neighbour's answers", || {
            assert!(self.is_well(), "the neighbour has failed");
            let answers = self.answers();
            let later = answers.iter().filter(|(due, _)| *due >= moment);
            later.count() >= 2 * lanes
        })
        .await;
    }

    fn answers(&self) -> std::sync::MutexGuard<'_, Vec<(Instant, Instant)>> {
        self.shared
            .answers
            .lock()
            .expect("no panic under this lock")
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

async fn live(shared: &Shared, address: std::net::SocketAddr, authority: &str) {
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
    let messages = sockets
        .into_iter()
        .enumerate()
        .map(async |(lane, mut socket)| {
            let mut number = 0;
            paced(shared, lane as u32, async || {
                number += 1;
                let text = format!("{lane}-{number}");
                assert_eq!(socket.ask(&format!("echo {text}")).await, text);
            })
            .await;
        });
    let requests = paced(shared, SOCKETS, async || {
        let request = Request::get("/hello").header("host", authority);
        let request = request.body(full("")).expect("a request");
        let response = client.send(request).await.expect("an answer");
        assert_eq!((response.status.as_u16(), response.text()), (200, "hello"));
    });
    tokio::join!(futures_util::future::join_all(messages), requests);
}

/// Does something again and again. What comes late counts from when it was due,
/// and so does what waits behind it.
async fn paced(shared: &Shared, lane: u32, mut event: impl AsyncFnMut()) {
    let offset = PACE * lane / (SOCKETS + 1);
    let mut ticks = tokio::time::interval_at(tokio::time::Instant::now() + offset, PACE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    while !shared.is_over.load(Ordering::Relaxed) {
        let due = ticks.tick().await.into_std();
        tokio::time::timeout(PATIENCE, event())
            .await
            .expect("an answer to the neighbour");
        let answer = (due, Instant::now());
        shared
            .answers
            .lock()
            .expect("no panic under this lock")
            .push(answer);
    }
}
