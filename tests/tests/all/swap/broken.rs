//! What is no component, or none that works, changes nothing: the old code goes
//! on, and `holdfast status` says what is wrong.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use holdfast_tests::build::{Build, beside};
use holdfast_tests::host::Host;
use holdfast_tests::http::Client;
use holdfast_tests::place;
use holdfast_tests::process::resident_bytes;
use holdfast_tests::setup::Setup;
use holdfast_tests::socket::Socket;
use holdfast_tests::status::Plugin;
use holdfast_tests::wait::until;

use super::version_at;

in_both_forms!(the_old_code_serves_whatever_is_dropped_in);

/// More bytes than a component may have.
const HUGE_BYTES: u64 = 200 << 20;

/// What a file may be that is no component.
enum Broken {
    Bytes(Vec<u8>),
    /// Empty space of this size.
    Sparse(u64),
    /// Nobody but root may read it.
    Unreadable,
    Folder,
    Fifo,
    Link(&'static str),
}

impl Broken {
    /// Puts it in the place of a component.
    fn put(&self, path: &Path) {
        let next = beside(path);
        match self {
            Self::Bytes(bytes) => fs::write(&next, bytes).unwrap(),
            Self::Sparse(bytes) => fs::File::create(&next).unwrap().set_len(*bytes).unwrap(),
            Self::Unreadable => {
                fs::write(&next, "unreadable").unwrap();
                fs::set_permissions(&next, fs::Permissions::from_mode(0o000)).unwrap();
            }
            Self::Folder => fs::create_dir(&next).unwrap(),
            Self::Fifo => {
                let made = Command::new("mkfifo").arg(&next).status().unwrap();
                assert!(made.success());
            }
            Self::Link(target) => symlink(target, &next).unwrap(),
        }
        if path.is_dir() && !path.is_symlink() {
            fs::remove_dir(path).unwrap();
        }
        if matches!(self, Self::Folder) {
            fs::remove_file(path).unwrap();
        }
        fs::rename(&next, path).unwrap();
    }
}

/// All of them, with names for people.
fn all(good: &[u8]) -> Vec<(String, Broken)> {
    let mut all = Vec::new();
    let mut add = |name: String, broken| all.push((name, broken));
    for length in lengths(good.len()) {
        let part = good[..length].to_vec();
        add(format!("the first {length} bytes"), Broken::Bytes(part));
    }
    for length in [1, 10, 1000, 100_000, 1_000_000] {
        let noise = noise(length);
        add(
            format!("{length} bytes of noise"),
            Broken::Bytes(noise.clone()),
        );
        for (kind, head) in [("core module", 1), ("component", 0x0001_000d_u32)] {
            let bytes = [b"\0asm", &head.to_le_bytes()[..], &noise].concat();
            add(
                format!("{length} bytes of noise as a {kind}"),
                Broken::Bytes(bytes),
            );
        }
    }
    let tail = [good, &[0xff; 100]].concat();
    add("more after the end".into(), Broken::Bytes(tail));
    add("text".into(), Broken::Bytes(b"<html></html>".to_vec()));
    for folder in ["bad", "broken"] {
        for (name, bytes) in assembled(folder) {
            add(name, Broken::Bytes(bytes));
        }
    }
    add("compiled code".into(), Broken::Bytes(compiled_code()));
    add("a huge file".into(), Broken::Sparse(HUGE_BYTES));
    add("an unreadable file".into(), Broken::Unreadable);
    // Nothing can be reached at the first and the last: they are not told from
    // each other.
    add("a link to nothing".into(), Broken::Link("absent"));
    add("a folder".into(), Broken::Folder);
    add("a link to a device".into(), Broken::Link("/dev/zero"));
    add("a pipe".into(), Broken::Fifo);
    add("a link to a folder".into(), Broken::Link("/"));
    add("a link to itself".into(), Broken::Link("fixture.wasm"));
    all
}

/// From nothing to all but one.
fn lengths(whole: usize) -> Vec<usize> {
    let mut lengths = vec![0, 1, 4, 7, 8, 9, 20, 100, 1000, whole - 100, whole - 1];
    lengths.extend((1..8).map(|part| whole * part / 8));
    lengths
}

/// Bytes without meaning, the same in every run (xorshift).
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64 ^ length as u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    };
    std::iter::repeat_with(next).take(length).collect()
}

/// The components of a folder of tests, which are all no good.
fn assembled(folder: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let files = fs::read_dir(folder).unwrap();
    let files = files.map(|entry| entry.unwrap().path());
    files
        .filter(|path| path.extension().is_some_and(|extension| extension == "wat"))
        .map(|path| {
            let name = path.file_stem().unwrap().display().to_string();
            (name, wat::parse_file(path).unwrap())
        })
        .collect()
}

/// What the host itself has made, which it must not take from anybody.
fn compiled_code() -> Vec<u8> {
    let files = fs::read_dir(place::cache()).unwrap();
    let files = files.map(|entry| fs::read(entry.unwrap().path()));
    let is_code = |bytes: &Vec<u8>| bytes.starts_with(b"\x7fELF");
    let code = files.filter_map(Result::ok).find(is_code);
    code.expect("compiled code in the cache")
}

async fn the_old_code_serves_whatever_is_dropped_in(form: &str) {
    let host = Setup::of_build(&Build::new(form, 1))
        .limit("event_timeout_ms", 1000)
        .alone()
        .start()
        .await;
    let good = Build::new(form, 2);
    let all = all(good.bytes());
    assert!(all.len() >= 50, "{}", all.len());
    let clients = Clients::start(&host).await;
    // The first time, threads that load take memory for their work, and keep it.
    let mut bytes = vec![resident_bytes(host.pid())];
    for _ in 0..2 {
        for (name, broken) in &all {
            let error = fails(&host, name, broken).await;
            println!("{name}: {error}");
        }
        bytes.push(resident_bytes(host.pid()));
    }
    println!("{form}: {bytes:?} bytes before, after each, and after each once more");
    // An allocator's stock goes up and down by some megabytes.
    let most = bytes[1] + bytes[1] / 5;
    until("memory to be as it was", || {
        resident_bytes(host.pid()) < most
    })
    .await;
    clients.end().await;
    let mut socket = Socket::open(&host, "/").await;
    // A mended file is taken.
    host.put(&good);
    host.serves(2).await;
    assert_eq!(version_at(&mut socket).await, 2);
    let plugin = host.settles().await;
    assert_eq!(plugin.error(), None);
    assert_eq!(plugin.generation(), 2, "no failure counts as a generation");
    host.stop().await;
}

/// What the host logs of each failure, in one line.
const LOGGED: &str = "a generation can't be loaded";

/// Drops something in, and waits until the host has logged another error and
/// shows the same in its status.
async fn fails(host: &Host, name: &str, broken: &Broken) -> String {
    let errors = || host.log().matches(LOGGED).count();
    let before = errors();
    broken.put(&host.component());
    until(&format!("an error for {name}"), || errors() > before).await;
    let message = |plugin: &Plugin| {
        let error = plugin.error()?;
        error["message"].as_str().map(str::to_owned)
    };
    let is_logged = |message: String| {
        let log = host.log();
        let mut lines = log.lines().rev();
        let last = lines.find(|line| line.contains(LOGGED));
        last.is_some_and(|line| line.contains(&format!("{message:?}")))
    };
    let plugin = host
        .becomes(&format!("the status of {name}"), |plugin| {
            message(plugin).is_some_and(is_logged)
        })
        .await;
    assert_eq!(plugin.generation(), 1, "{name}");
    let message = message(&plugin).unwrap();
    assert!(!message.contains('\n'), "one line: {name}: {message}");
    message
}

/// A socket and a request that go on all the time.
struct Clients {
    is_over: Arc<AtomicBool>,
    count: Arc<AtomicU64>,
    task: tokio::task::JoinHandle<()>,
}

impl Clients {
    async fn start(host: &Host) -> Self {
        let mut socket = Socket::open(host, "/").await;
        let mut client = Client::connect(host).await;
        let is_over = Arc::new(AtomicBool::new(false));
        let count = Arc::new(AtomicU64::new(0));
        let (over, counted) = (Arc::clone(&is_over), Arc::clone(&count));
        let task = tokio::spawn(async move {
            while !over.load(Ordering::Relaxed) {
                assert_eq!(version_at(&mut socket).await, 1);
                let response = client.get("/version").await.unwrap();
                assert_eq!(response.text(), "1");
                counted.fetch_add(1, Ordering::Relaxed);
            }
        });
        Self {
            is_over,
            count,
            task,
        }
    }

    /// Ends them; they must have been served all the time.
    async fn end(self) {
        self.is_over.store(true, Ordering::Relaxed);
        self.task.await.unwrap();
        assert!(self.count.load(Ordering::Relaxed) > 100);
    }
}
