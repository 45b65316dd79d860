//! Loading components: what is read, who compiles it, what is kept of it.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Stdio};

use holdfast_tests::bulk::bulky;
use holdfast_tests::folder::Folder;
use holdfast_tests::host::{Host, command};
use holdfast_tests::http::get;
use holdfast_tests::setup::Setup;
use holdfast_tests::wait::until;
use holdfast_tests::{place, process};
use rustix::fs::{CWD, FileType, Mode, mknodat};

const MIB: u64 = 1 << 20;

/// What the host says when it is to serve this file.
async fn refusal(file: &Path, key: &str, value: u64) -> String {
    let setup = Setup::of_file("new", file).host(key, value);
    setup.fails().await
}

/// With a cache of its own, and telling what it compiles.
fn verbose(setup: Setup, cache: &Path) -> Setup {
    setup.cache(cache).variable("HOLDFAST_LOG", "debug")
}

#[tokio::test]
async fn compiling_has_a_deadline() {
    let folder = Folder::new();
    let file = folder.write("slow.wasm", bulky("echo", 400_000, 1));
    let text = refusal(&file, "load.compile_timeout_ms", 100).await;
    let words = "slow.wasm: to compile it takes longer than the 100 ms of `compile_timeout_ms`";
    assert!(text.contains(words), "{text}");
    assert!(text.contains("\n  hint: "), "{text}");
}

#[tokio::test]
async fn what_is_compiled_ahead_starts_without_a_compiler() {
    let folder = Folder::new();
    let cache = folder.path().join("cache");
    let ahead = || {
        let mut command = command();
        command.args(["compile", "--cache"]).arg(&cache);
        let output = command.arg(place::guest("wstd")).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(ahead().contains("compiled in "));
    assert!(ahead().contains("compiled before"));
    let host = verbose(Setup::new("wstd"), &cache).start().await;
    assert_eq!(get(&host, "/hello").await.text(), "Hello from wstd");
    assert!(!host.log().contains("component compiled"));
    let mut nowhere = command();
    nowhere
        .args(["compile", "--no-cache"])
        .arg(place::guest("wstd"));
    let output = nowhere.output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("no cache to compile into"), "{text}");
}

/// Of the simple form, and importing nothing that only components get; and others.
#[tokio::test]
async fn components_of_one_module_are_linked_directly() {
    for (guest, linked) in [
        ("echo", "directly"),
        ("chat", "directly"),
        ("plain", "directly"),
        ("hostile", "directly"),
        ("waiting", "as a component"),
        ("wstd", "as a component"),
    ] {
        let host = Setup::new(guest).start().await;
        let linked = format!("linked=\"{linked}\"");
        host.logged(&["plugin loaded", &linked]).await;
        host.stop().await;
    }
}

#[tokio::test]
async fn who_waits_for_a_compiler_is_told() {
    let folder = Folder::new();
    let file = folder.write("slow.wasm", bulky("echo", 600_000, 7));
    let cache = folder.path().join("cache");
    let host = Setup::of_file("slow", &file).cache(&cache).start().await;
    host.logged(&["INFO", "a component is being compiled", "kib="])
        .await;
    host.logged(&["INFO", "component compiled", "compile_ms="])
        .await;
}

#[tokio::test]
async fn two_plugins_share_the_memory_of_their_component() {
    let text = |count: usize| {
        let plugin = |number: usize| {
            format!(
                "[[plugin]]\nname = \"p{number}\"\ncomponent = \"{{plain.wasm}}\"\n\
                 [[route]]\npath = \"/{number}\"\nplugin = \"p{number}\"\n"
            )
        };
        (0..count).map(plugin).collect::<String>()
    };
    let mapped = async |count| {
        let folder = Folder::new();
        let host = Setup::manifest(&text(count))
            .cache(folder.path())
            .start()
            .await;
        for number in 0..count {
            get(&host, &format!("/{number}/hello")).await;
        }
        process::mapped_bytes(host.pid(), ".cwasm")
    };
    let (one, four) = (mapped(1).await, mapped(4).await);
    assert!(one > 0, "the code is mapped from its file");
    assert!(four < 2 * one, "{one} bytes of one, {four} of four");
}

#[tokio::test]
async fn compiling_has_a_limit_of_memory() {
    let folder = Folder::new();
    let file = folder.write("large.wasm", bulky("echo", 400_000, 2));
    let text = refusal(&file, "load.compile_memory_bytes_max", 64 * MIB).await;
    let words = "large.wasm: to compile it takes more memory than the 67108864 bytes";
    assert!(text.contains(words), "{text}");
    assert!(text.contains("\n  hint: "), "{text}");
}

#[tokio::test]
async fn a_file_that_is_too_large_is_not_read() {
    let folder = Folder::new();
    let file = folder.path().join("huge.wasm");
    File::create(&file).unwrap().set_len(200 * MIB).unwrap();
    let text = refusal(&file, "threads", 1).await;
    let words = "it has 209715200 bytes, more than the 67108864 of `component_bytes_max`";
    assert!(text.contains(words), "{text}");
    let text = refusal(&place::guest("echo"), "load.component_bytes_max", 100).await;
    assert!(text.contains("more than the 100"), "{text}");
}

#[tokio::test]
async fn a_pipe_is_no_component_and_nobody_waits_for_it() {
    let folder = Folder::new();
    let file = folder.path().join("pipe.wasm");
    mknodat(CWD, &file, FileType::Fifo, Mode::RWXU, 0).unwrap();
    let text = refusal(&file, "threads", 1).await;
    assert!(text.contains("pipe.wasm: it is not a file"), "{text}");
}

#[tokio::test]
async fn a_damaged_cache_is_made_anew() {
    let folder = Folder::new();
    let serve = async || verbose(Setup::new("plain"), folder.path()).start().await;
    let host = serve().await;
    host.logged(&["component compiled"]).await;
    host.stop().await;
    let entries: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(entries.len(), 1, "{entries:?}");
    let file = entries[0].as_ref().unwrap().path();
    let code = fs::read(&file).unwrap();
    for content in [&code[..code.len() / 2], b"by somebody else", b""] {
        fs::write(&file, content).unwrap();
        let host = serve().await;
        host.logged(&["compiled component unusable"]).await;
        host.logged(&["component compiled"]).await;
        assert_eq!(get(&host, "/config/absent").await.status, 200);
        host.stop().await;
        assert!(fs::read(&file).unwrap().len() > code.len() / 2);
    }
    // What is in the cache needs no compiler.
    let host = serve().await;
    assert!(!host.log().contains("component compiled"), "{}", host.log());
    host.stop().await;
}

#[tokio::test]
async fn without_a_cache_everything_is_compiled() {
    let arguments = ["--no-cache", "--log", "debug"];
    let host = Host::run(&place::guest("plain"), &arguments).await;
    host.logged(&["component compiled"]).await;
    host.stop().await;
}

/// A host that compiles something for some seconds, and its compiler.
async fn compiling(folder: &Folder, salt: i32) -> (Child, u32) {
    let file = folder.write("slow.wasm", bulky("echo", 1_000_000, salt));
    let host = command()
        .env("SECRET", "hunter2")
        .arg("run")
        .arg(file)
        .args(["--listen", "127.0.0.1:0", "--no-cache"])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut compiler = None;
    until("a compiler that has limited itself", || {
        compiler = process::children(host.id()).pop();
        let nice = compiler.map(priority);
        nice == Some(10)
    })
    .await;
    (host, compiler.unwrap())
}

/// The nice value: field 19 of `stat` (proc(5)).
fn priority(pid: u32) -> i32 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let (_, rest) = stat.rsplit_once(") ").unwrap_or_default();
    let field = rest.split(' ').nth(16);
    field.and_then(|field| field.parse().ok()).unwrap_or(0)
}

#[tokio::test]
async fn the_compiler_has_nothing_of_the_host_and_ends_with_it() {
    let folder = Folder::new();
    let (mut host, compiler) = compiling(&folder, 3).await;
    let proc = |name: &str| format!("/proc/{compiler}/{name}");
    let environment = fs::read_to_string(proc("environ")).unwrap();
    assert!(!environment.contains("hunter2"), "{environment}");
    assert!(!environment.contains("PATH="), "{environment}");
    let files = fs::read_dir(proc("fd")).unwrap();
    let files = files.map(|entry| fs::read_link(entry.unwrap().path()).unwrap());
    let files: Vec<_> = files.map(|path| path.display().to_string()).collect();
    assert!(
        files.iter().all(|file| !file.starts_with("socket:")),
        "{files:?}"
    );
    assert_eq!(fs::read_link(proc("cwd")).unwrap(), Path::new("/"));
    process::kill(host.id());
    host.wait().unwrap();
    until("the compiler to end with its host", || {
        !process::is_alive(compiler)
    })
    .await;
}

#[tokio::test]
async fn what_the_compiler_has_used_is_not_the_hosts() {
    let folder = Folder::new();
    let small = verbose(Setup::new("echo"), folder.path()).start().await;
    let before = process::resident_peak_bytes(small.pid());
    small.stop().await;
    // The compiler needs more than 64 MiB for it, as is shown above.
    let file = folder.write("large.wasm", bulky("echo", 200_000, 4));
    let size = fs::metadata(&file).unwrap().len();
    let host = verbose(Setup::of_file("large", &file), folder.path());
    let host = host.start().await;
    host.logged(&["component compiled"]).await;
    let after = process::resident_peak_bytes(host.pid());
    assert!(after < before + size + 20 * MIB, "{before}, then {after}");
    assert!(process::children(host.pid()).is_empty());
    host.stop().await;
}
