//! What the operating system says of a process, and signals to it.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, prlimit, setrlimit};

use crate::wait::patiently;

/// Runs a program to its end, however long it takes.
pub async fn output(mut command: Command) -> Output {
    let output = tokio::task::spawn_blocking(move || command.output());
    output.await.expect("no panic").expect("the program starts")
}

/// Runs a program to its end, which has to be a good one and to come soon.
pub async fn run(command: Command) -> Output {
    let shown = format!("{command:?}");
    let output = patiently(&shown, output(command)).await;
    let (out, err) = (&output.stdout, &output.stderr);
    let said = String::from_utf8_lossy(out) + String::from_utf8_lossy(err);
    assert!(output.status.success(), "{shown}: {said}");
    output
}

/// Sends SIGTERM.
pub fn terminate(pid: u32) {
    signal(pid, Signal::TERM);
}

/// Sends SIGINT, as Ctrl-C does.
pub fn interrupt(pid: u32) {
    signal(pid, Signal::INT);
}

/// Sends SIGHUP.
pub fn hangup(pid: u32) {
    signal(pid, Signal::HUP);
}

fn signal(pid: u32, signal: Signal) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    kill_process(pid.expect("a process id"), signal).expect("a process of ours");
}

/// Number of threads.
pub fn threads(pid: u32) -> u64 {
    status(pid, "Threads:")
}

/// How often the threads of this name have gone to sleep so far.
pub fn sleeps(pid: u32, name: &str) -> u64 {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).expect("a live process");
    let mut sleeps = 0;
    for task in tasks {
        // It may have ended meanwhile.
        let folder = task.expect("proc(5)").path();
        let comm = std::fs::read_to_string(folder.join("comm")).unwrap_or_default();
        if comm.trim_end() == name {
            let text = std::fs::read_to_string(folder.join("status")).unwrap_or_default();
            sleeps += number(&text, "voluntary_ctxt_switches:").unwrap_or(0);
        }
    }
    sleeps
}

/// Resident memory, in bytes.
pub fn resident_bytes(pid: u32) -> u64 {
    status(pid, "VmRSS:") * 1024
}

/// The most resident memory it has had, in bytes.
pub fn resident_peak_bytes(pid: u32) -> u64 {
    status(pid, "VmHWM:") * 1024
}

/// Resident memory of what is mapped from files whose paths contain this, in
/// bytes (proc_pid_smaps(5)).
pub fn mapped_bytes(pid: u32, name: &str) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps")).expect("a live process");
    let mut is_meant = false;
    let mut kib = 0;
    for line in text.lines() {
        let (key, rest) = line.split_once(' ').unwrap_or((line, ""));
        if !key.ends_with(':') {
            is_meant = rest.contains(name);
        } else if is_meant && key == "Rss:" {
            let number = rest.split_whitespace().next();
            kib += number
                .and_then(|it| it.parse::<u64>().ok())
                .expect("a number");
        }
    }
    kib * 1024
}

/// Whether there is such a process, and it has not ended.
pub fn is_alive(pid: u32) -> bool {
    // The state is after the name, which is in parentheses (proc(5)).
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let (_, rest) = stat.rsplit_once(") ").unwrap_or_default();
    !rest.is_empty() && !rest.starts_with(['Z', 'X'])
}

/// The processes which this one has started, and which live.
pub fn children(pid: u32) -> Vec<u32> {
    let pid = pid.to_string();
    let processes = std::fs::read_dir("/proc").expect("proc(5)");
    let numbers = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let is_child = |other: &u32| {
        let stat = std::fs::read_to_string(format!("/proc/{other}/stat")).unwrap_or_default();
        let (_, rest) = stat.rsplit_once(") ").unwrap_or_default();
        rest.split(' ').nth(1) == Some(&pid) && is_alive(*other)
    };
    numbers.filter(is_child).collect()
}

/// A number from `/proc/PID/status` (proc(5)).
fn status(pid: u32, key: &str) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("a live process");
    number(&text, key).expect("a number")
}

/// The number in the line that begins with this.
fn number(text: &str, key: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Ends it at once.
pub fn kill(pid: u32) {
    signal(pid, Signal::KILL);
}

/// How many files it has open.
pub fn open_files(pid: u32) -> usize {
    let files = std::fs::read_dir(format!("/proc/{pid}/fd")).expect("a live process");
    files.count()
}

/// For how many files the kernel's table of a process has room, without growing.
pub fn file_slots(pid: u32) -> u64 {
    status(pid, "FDSize:")
}

/// Lets another process open no more than so many files.
pub fn limit_files(pid: u32, count: usize) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let limit = Rlimit {
        current: Some(count as u64),
        maximum: Some(count as u64),
    };
    prlimit(pid, Resource::Nofile, limit).expect("a process of ours");
}

/// Lets this process open as many files as the system allows.
pub fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, raised).expect("the limit may be raised to the maximum");
}

/// The time for which a process has had a processor, but for its threads that have
/// ended.
pub fn processor_time(pid: u32) -> Duration {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).expect("a live process");
    let files = threads.filter_map(|entry| File::open(entry.ok()?.path().join("schedstat")).ok());
    files.map(|file| duration(&file, 0)).sum()
}

/// One of the three numbers in a `schedstat`, in nanoseconds.
fn duration(file: &File, index: usize) -> Duration {
    let mut text = [0; 128];
    let len = file.read_at(&mut text, 0).unwrap_or(0);
    let text = std::str::from_utf8(&text[..len]).unwrap_or_default();
    let number = text
        .split(' ')
        .nth(index)
        .and_then(|word| word.parse().ok());
    Duration::from_nanos(number.unwrap_or(0))
}

/// The time that a thread has waited for a processor although it could have run.
/// On a machine which does much else, that is no time of its own.
#[derive(Debug)]
pub struct Delay(Option<File>);

impl Delay {
    /// Of the thread of this name; none if there is none yet.
    pub fn of_thread(pid: u32, name: &str) -> Option<Self> {
        let threads = fs::read_dir(format!("/proc/{pid}/task")).expect("a live process");
        let mut threads = threads.filter_map(|entry| Some(entry.ok()?.path()));
        let is_it = |path: &PathBuf| {
            let name_of = fs::read_to_string(path.join("comm")).unwrap_or_default();
            name_of.trim_end() == name
        };
        let thread = threads.find(is_it)?;
        // A kernel may do without; then nothing is known, and nothing is left out.
        Some(Self(File::open(thread.join("schedstat")).ok()))
    }

    /// Of the thread that calls.
    pub fn here() -> Self {
        Self(File::open("/proc/thread-self/schedstat").ok())
    }

    /// So much so far.
    pub fn total(&self) -> Duration {
        let file = self.0.as_ref();
        file.map_or(Duration::ZERO, |file| duration(file, 1))
    }
}

/// The time for which other machines on the same hardware had the processors of
/// this one although it had work for them (`steal` in proc_stat(5)).
#[derive(Debug)]
pub struct Stolen(Option<File>);

impl Stolen {
    /// From now on. A kernel may do without; then nothing is left out.
    pub fn open() -> Self {
        Self(File::open("/proc/stat").ok())
    }

    /// So much so far, in steps of 10 ms.
    pub fn total(&self) -> Duration {
        const TICK: Duration = Duration::from_millis(10);
        const STEAL: usize = 8;
        let mut text = [0; 256];
        let file = self.0.as_ref();
        let len = file.and_then(|file| file.read_at(&mut text, 0).ok());
        let text = String::from_utf8_lossy(&text[..len.unwrap_or(0)]);
        let ticks = text.split_whitespace().nth(STEAL);
        TICK * ticks.and_then(|it| it.parse().ok()).unwrap_or(0)
    }
}
