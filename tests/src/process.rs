//! What the operating system says of a process, and signals to it.

use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, setrlimit};

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

/// Resident memory, in bytes.
pub fn resident_bytes(pid: u32) -> u64 {
    status(pid, "VmRSS:") * 1024
}

/// The most resident memory it has had, in bytes.
pub fn resident_peak_bytes(pid: u32) -> u64 {
    status(pid, "VmHWM:") * 1024
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
    let line = text.lines().find_map(|line| line.strip_prefix(key));
    let number = line.and_then(|rest| rest.split_whitespace().next());
    number.and_then(|word| word.parse().ok()).expect("a number")
}

/// Ends it at once.
pub fn kill(pid: u32) {
    signal(pid, Signal::KILL);
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
