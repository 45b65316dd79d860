//! Ways out of the folder: none.

use std::os::unix::fs::symlink;

use holdfast_tests::host::Host;
use holdfast_tests::http::get;
use holdfast_tests::raw::Raw;
use holdfast_tests::wait::patiently;

use super::site;

/// What must never be sent.
const SECRET: &str = "hunter2";

/// Paths as they are sent, and the statuses they may get.
const HOSTILE: &[(&str, &[u16])] = &[
    ("/../secret", &[404]),
    ("/..", &[404]),
    ("/../", &[404]),
    ("/./secret", &[404]),
    ("/../public/a.txt", &[404]),
    ("/sub/../../secret", &[404]),
    ("/sub/../a.txt", &[404]),
    ("/....//secret", &[404]),
    ("/.../secret", &[404]),
    ("/%2e%2e/secret", &[404]),
    ("/%2E%2E/secret", &[404]),
    ("/.%2e/secret", &[404]),
    ("/%2e./secret", &[404]),
    ("/%2e%2e%2fsecret", &[400]),
    ("/..%2fsecret", &[400]),
    ("/..%2Fsecret", &[400]),
    ("/sub%2fb.txt", &[400]),
    ("/%2fetc%2fpasswd", &[400]),
    ("/%252e%252e/secret", &[404]),
    ("/%252e%252e%252fsecret", &[404]),
    ("/..%5csecret", &[404]),
    ("/..\\secret", &[400, 404]),
    ("/%5c..%5csecret", &[404]),
    ("/%c0%ae%c0%ae/secret", &[404]),
    ("/%e0%80%ae%e0%80%ae/secret", &[404]),
    ("/%uff0e%uff0e/secret", &[400]),
    ("/..%c0%afsecret", &[404]),
    ("/..;/secret", &[404]),
    ("/..%00/secret", &[400]),
    ("/%00", &[400]),
    ("/a.txt%00", &[400]),
    ("/a.txt%00.html", &[400]),
    ("/a.txt%0a", &[404]),
    ("/a.txt%0d%0ax-evil:%201", &[404]),
    ("/a.txt%20", &[404]),
    ("/a.txt.", &[404]),
    ("/a.txt/", &[404]),
    ("/a.txt/..", &[404]),
    ("/a.txt::$DATA", &[404]),
    ("/A.TXT", &[404]),
    ("/%", &[400]),
    ("/%a", &[400]),
    ("/%zz", &[400]),
    ("/a.txt%", &[400]),
    ("//secret", &[404]),
    ("//etc/passwd", &[404]),
    ("///etc/passwd", &[404]),
    ("/sub//b.txt", &[404]),
    ("//a.txt", &[404]),
    ("//evil.example/..", &[404]),
    ("/%2f%2fevil.example", &[400]),
    ("/\\evil.example", &[400, 404]),
    ("/.env", &[404]),
    ("/.git/config", &[404]),
    ("/sub/.hidden", &[404]),
    ("/%2eenv", &[404]),
    ("/.well-known/../.env", &[404]),
    ("/~root/secret", &[404]),
    ("/proc/self/environ", &[404]),
    ("/link-up", &[404]),
    ("/link-absolute", &[404]),
    ("/link-folder/secret", &[404]),
    ("/link-folder/public/a.txt", &[404]),
    ("/link-circle", &[404]),
    ("/link-proc/environ", &[404]),
    ("/pipe", &[404]),
    ("/socket", &[404]),
    ("/holdfast.toml", &[404]),
    ("/../holdfast.toml", &[404]),
    ("/?/../secret", &[404]),
    ("http://test.example/../secret", &[404]),
    ("http://test.example/%2e%2e/secret", &[404]),
    ("file:///etc/passwd", &[400, 404]),
    ("secret", &[400]),
];

async fn hostile() -> Host {
    let host = site("")
        .file("secret", SECRET)
        .file("public/a.txt", "a")
        .file("public/sub/b.txt", "b")
        .file("public/.env", SECRET)
        .file("public/.git/config", SECRET)
        .file("public/sub/.hidden", SECRET)
        .file("public/.well-known/security.txt", "contact")
        .start()
        .await;
    let folder = host.folder();
    let public = folder.join("public");
    symlink("../secret", public.join("link-up")).unwrap();
    symlink(folder.join("secret"), public.join("link-absolute")).unwrap();
    symlink("..", public.join("link-folder")).unwrap();
    symlink("link-circle", public.join("link-circle")).unwrap();
    symlink("/proc/self", public.join("link-proc")).unwrap();
    symlink("sub/b.txt", public.join("link-inside")).unwrap();
    std::os::unix::net::UnixListener::bind(public.join("socket")).unwrap();
    let made = std::process::Command::new("mkfifo")
        .arg(public.join("pipe"))
        .status();
    assert!(made.unwrap().success());
    host
}

#[tokio::test]
async fn no_path_leads_out_of_the_folder() {
    let host = hostile().await;
    assert!(HOSTILE.len() >= 40);
    for (path, statuses) in HOSTILE {
        let mut raw = Raw::connect(&host).await;
        let request =
            format!("GET {path} HTTP/1.1\r\nhost: test.example\r\nconnection: close\r\n\r\n");
        raw.send(request.as_bytes()).await;
        let answer = raw.rest().await;
        let answer = String::from_utf8_lossy(&answer);
        let status = answer.split(' ').nth(1).and_then(|it| it.parse().ok());
        assert!(
            status.is_some_and(|status| statuses.contains(&status)),
            "{path}: {answer}"
        );
        assert!(!answer.contains(SECRET), "{path}: {answer}");
        assert!(!answer.contains("root:"), "{path}: {answer}");
        assert!(
            !answer.to_lowercase().contains("x-evil:"),
            "{path}: {answer}"
        );
        assert!(
            !answer.to_lowercase().contains("location:"),
            "{path}: {answer}"
        );
    }
    // What is meant well works as before.
    assert_eq!(get(&host, "/a.txt").await.text(), "a");
    assert_eq!(get(&host, "/link-inside").await.text(), "b");
    assert_eq!(
        get(&host, "/.well-known/security.txt").await.text(),
        "contact"
    );
}

#[tokio::test]
async fn no_path_leads_out_of_the_folder_over_http2() {
    let host = hostile().await;
    for (path, _) in HOSTILE {
        let Ok(uri) = format!("http://test.example{path}").parse::<http::Uri>() else {
            continue;
        };
        let stream = holdfast_tests::http::connect(&host).await;
        let (mut client, _connection) = holdfast_tests::http2::Client::over(stream).await;
        let answer = client.get(&uri.to_string()).await;
        if let Ok((status, body)) = answer {
            assert!(matches!(status.as_u16(), 400 | 404), "{path}: {status}");
            assert!(!body.contains(SECRET), "{path}: {body}");
        }
    }
}

#[tokio::test]
async fn names_as_long_as_can_be_are_not_there() {
    let host = site("").file("public/a.txt", "a").start().await;
    let deep = "/a".repeat(4000);
    let long = format!("/{}", "a".repeat(5000));
    let folders = format!("/{}", "a.txt/".repeat(1000));
    for path in [deep, long, folders] {
        assert_eq!(get(&host, &path).await.status, 404);
    }
    // Somebody changes links all the time.
    let public = host.folder().join("public");
    std::fs::write(host.folder().join("secret"), SECRET).unwrap();
    std::fs::create_dir(public.join("good")).unwrap();
    std::fs::write(public.join("good/secret"), "public").unwrap();
    symlink("..", public.join("bad")).unwrap();
    let (good, bad, link) = (public.join("good"), public.join("bad"), public.join("x"));
    let change = tokio::task::spawn_blocking(move || {
        for _ in 0..500 {
            for target in [&good, &bad] {
                let other = link.with_extension("new");
                symlink(target.file_name().unwrap(), &other).unwrap();
                std::fs::rename(&other, &link).unwrap();
            }
        }
    });
    let mut public_seen = 0;
    while !change.is_finished() {
        let response = get(&host, "/x/secret").await;
        assert_ne!(response.text(), SECRET);
        public_seen += u32::from(response.text() == "public");
    }
    patiently("the changes", change).await.unwrap();
    assert!(public_seen > 0);
}
