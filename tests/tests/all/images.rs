//! Components in registries: `oci://…` on the command line and in the manifest,
//! against a real registry, and against one that does not do what it should.

use std::path::Path;

use holdfast_tests::folder::Folder;
use holdfast_tests::host::Host;
use holdfast_tests::http::get;
use holdfast_tests::place::guest;
use holdfast_tests::process::output;
use holdfast_tests::registry::{Answer, Asked, Fake, Image, Kind, Registry, good, status};
use holdfast_tests::setup::Setup;
use holdfast_tests::wait::found;
use http::StatusCode;

fn image(name: &str, kind: Kind) -> Image {
    Image::new(std::fs::read(guest(name)).unwrap(), kind)
}

fn setup(reference: &str) -> Setup {
    Setup::of_file("pulled", Path::new(reference))
}

/// `name:pass` in Base64 is not checked by eye.
const BASIC: &str = "Basic YWRhOnNlY3JldA==";
const CREDENTIALS: &str = "{ \"auths\": { \"ADDRESS\": { \"auth\": \"YWRhOnNlY3JldA==\" } } }";

#[tokio::test]
async fn an_image_runs_by_its_tag_and_by_its_digest() {
    let registry = Registry::start().await;
    let address = registry.address();
    for (kind, tag) in Kind::ALL.into_iter().zip(["1", "2", "3"]) {
        let digest = registry.push("acme/hello", tag, &image("wstd", kind)).await;
        for reference in [
            format!("oci://{address}/acme/hello:{tag}"),
            format!("oci://{address}/acme/hello@sha256:{digest}"),
            format!("oci://{address}/acme/hello:{tag}@sha256:{digest}"),
        ] {
            let folder = Folder::new();
            let data = folder.path().display().to_string();
            let arguments = ["--data", &data];
            let host = Host::run(Path::new(&reference), &arguments).await;
            let hello = get(&host, "/hello").await;
            assert_eq!(hello.text(), "Hello from wstd", "{reference}");
            // What a tag stood for is in the log.
            host.logged(&["image found", &digest]).await;
        }
    }
    let text = setup(&format!("oci://{address}/acme/hello:4"))
        .fails()
        .await;
    assert!(
        text.contains("404 Not Found: it has no such image"),
        "{text}"
    );
}

#[tokio::test]
async fn an_image_is_looked_at_and_deployed_as_a_file_is() {
    let registry = Registry::start().await;
    let name = "acme/hello";
    registry.push(name, "1", &image("wstd", Kind::Wasm)).await;
    let reference = format!("oci://{}/{name}:1", registry.address());
    let folder = Folder::new();
    let cache = folder.path().display().to_string();
    let mut command = holdfast_tests::host::command();
    command.args(["inspect", &reference, "--cache", &cache]);
    let output = output(command).await;
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("wasi:http/incoming-handler@0.2"), "{text}");

    let host = Setup::new("spin").data(folder.path()).start().await;
    assert_eq!(get(&host, "/hello").await.text(), "Hello from Spin");
    let words = ["deploy", &reference, "--plugin", "spin", "--cache", &cache];
    host.ask(&words).await;
    assert_eq!(get(&host, "/hello").await.text(), "Hello from wstd");
}

#[tokio::test]
async fn what_was_pulled_needs_no_registry() {
    let registry = Registry::start().await;
    let address = registry.address();
    let digest = registry
        .push("hello", "1", &image("wstd", Kind::Wasm))
        .await;
    let tagged = format!("oci://{address}/hello:1");
    let pinned = format!("{tagged}@sha256:{digest}");
    let cache = Folder::new();
    for reference in [&tagged, &pinned] {
        let host = setup(reference).cache(cache.path()).start().await;
        assert_eq!(get(&host, "/hello").await.text(), "Hello from wstd");
    }
    drop(registry);
    let host = setup(&pinned).cache(cache.path()).start().await;
    assert_eq!(get(&host, "/hello").await.text(), "Hello from wstd");
    assert!(!host.log().contains("WARN"), "{}", host.log());
    let host = setup(&tagged).cache(cache.path()).start().await;
    assert_eq!(get(&host, "/hello").await.text(), "Hello from wstd");
    host.logged(&["WARN", "the registry can't be reached", "hello:1"])
        .await;
    // What is kept is not believed.
    let kept = cache.path().join("images/blobs");
    for file in std::fs::read_dir(kept).unwrap() {
        std::fs::write(file.unwrap().path(), "something else").unwrap();
    }
    let text = setup(&pinned).cache(cache.path()).fails().await;
    assert!(text.contains("can't be reached"), "{text}");
}

#[tokio::test]
async fn a_running_host_takes_another_image() {
    let registry = Registry::start().await;
    let address = registry.address();
    let name = "acme/hello";
    registry.push(name, "1", &image("wstd", Kind::Wasm)).await;
    let next = registry.push(name, "2", &image("spin", Kind::Wasm)).await;
    let host = setup(&format!("oci://{address}/acme/hello:1"))
        .start()
        .await;
    assert_eq!(get(&host, "/hello").await.text(), "Hello from wstd");

    host.edit("hello:1", "hello:3");
    found("the image that is not there", async || {
        host.status().await.plugin("pulled").error()
    })
    .await;
    assert_eq!(get(&host, "/hello").await.text(), "Hello from wstd");

    host.edit("hello:3", &format!("hello:2@sha256:{next}"));
    found("the other image", async || {
        let hello = get(&host, "/hello").await;
        (hello.text() == "Hello from Spin").then_some(())
    })
    .await;
    assert!(host.status().await.plugin("pulled").error().is_none());
    host.say(&["rollback", "pulled"]).await;
    assert_eq!(get(&host, "/hello").await.text(), "Hello from wstd");
}

#[tokio::test]
async fn a_registry_that_wants_a_password_gets_dockers() {
    let registry = Registry::guarded().await;
    let address = registry.address().to_string();
    registry
        .push("hello", "1", &image("wstd", Kind::Wasm))
        .await;
    let reference = format!("oci://{address}/hello:1");
    let folder = Folder::new();
    let text = setup(&reference).cache(folder.path()).fails().await;
    assert!(text.contains("401 Unauthorized"), "{text}");
    assert!(text.contains("docker login"), "{text}");
    let host = setup(&reference)
        .data(folder.path())
        .section("images", "credentials = \"docker.json\"")
        .file("docker.json", CREDENTIALS.replace("ADDRESS", &address))
        .start()
        .await;
    assert_eq!(get(&host, "/hello").await.text(), "Hello from wstd");
    assert!(!host.log().contains("YWRh"));
}

#[tokio::test]
async fn a_token_is_fetched_where_the_registry_says() {
    let pulled = image("wstd", Kind::Wasm);
    let answer = {
        let pulled = pulled.clone();
        move |asked: &Asked, address| match asked.authorization.as_deref() {
            _ if asked.path.starts_with("/token?") => {
                let who = asked.authorization.as_deref().unwrap_or("nobody");
                let is_ada = who == BASIC;
                let token = if is_ada { "for-ada" } else { "for-all" };
                good(format!("{{ \"token\": \"{token}\" }}"))
            }
            Some("Bearer for-ada") => Fake::of_image(&pulled, asked),
            _ => {
                let mut answer = status(StatusCode::UNAUTHORIZED);
                let scope = "scope=\"repository:acme/hello:pull\"";
                let challenge =
                    format!("Bearer realm=\"http://{address}/token\",service=\"tests\",{scope}");
                let fields = answer.headers_mut();
                fields.insert("www-authenticate", challenge.parse().unwrap());
                answer
            }
        }
    };
    let registry = Fake::start(answer).await;
    let reference = format!("oci://{}/acme/hello:1", registry.address());
    let folder = Folder::new();
    let text = setup(&reference).cache(folder.path()).fails().await;
    assert!(text.contains("401 Unauthorized"), "{text}");

    let address = registry.address().to_string();
    let host = setup(&reference)
        .data(folder.path())
        .section("images", "credentials = \"docker.json\"")
        .file("docker.json", CREDENTIALS.replace("ADDRESS", &address))
        .start()
        .await;
    assert_eq!(get(&host, "/hello").await.text(), "Hello from wstd");
    let query = "/token?service=tests&scope=repository%3Aacme%2Fhello%3Apull";
    let asked = registry.asked();
    let tokens: Vec<_> = asked.iter().filter(|it| it.path == query).collect();
    assert_eq!(tokens.len(), 2, "{asked:?}");
    assert_eq!(tokens[0].authorization, None);
    assert_eq!(tokens[1].authorization.as_deref(), Some(BASIC));
}

#[tokio::test]
async fn what_is_not_as_it_should_be_is_not_taken() {
    let right = image("wstd", Kind::Wasm);
    let other = Image::new("\0asm something else", Kind::Wasm);
    let (digest, component) = (right.digest(), right.component_digest());
    let of = |answer: fn(&Image, &Image, &Asked) -> Answer| {
        let (right, other) = (right.clone(), other.clone());
        Fake::start(move |asked, _| answer(&right, &other, asked))
    };
    let another_manifest = of(|_, other, asked| Fake::of_image(other, asked)).await;
    let another_component = of(|right, _, asked| match asked.path.contains("/blobs/") {
        true => good("something else"),
        false => Fake::of_image(right, asked),
    })
    .await;
    let no_manifest = of(|_, _, _| good("<html>")).await;
    let huge_manifest = of(|_, _, _| good(vec![b' '; 5 << 20])).await;
    let circle = of(|_, _, asked| {
        let mut answer = status(StatusCode::FOUND);
        let next = format!("{}x", asked.path).parse().unwrap();
        answer.headers_mut().insert("location", next);
        answer
    })
    .await;
    let never_ending_index = of(|right, _, _| {
        let descriptor = format!(
            "{{ \"digest\": \"sha256:{}\", \"size\": 1 }}",
            right.component_digest()
        );
        good(format!("{{ \"manifests\": [{descriptor}] }}"))
    })
    .await;
    for (registry, version, expected) in [
        (
            &another_manifest,
            format!("@sha256:{digest}"),
            format!("and not sha256:{digest}"),
        ),
        (
            &another_component,
            ":1".into(),
            format!("and not sha256:{component}"),
        ),
        (
            &no_manifest,
            ":1".into(),
            "its manifest can't be used".into(),
        ),
        (&huge_manifest, ":1".into(), "more than the 4194304".into()),
        (&circle, ":1".into(), "it leads on and on".into()),
        (
            &never_ending_index,
            ":1".into(),
            format!("and not sha256:{component}"),
        ),
    ] {
        let folder = Folder::new();
        let reference = format!("oci://{}/hello{version}", registry.address());
        let text = setup(&reference).cache(folder.path()).fails().await;
        assert!(text.contains(&expected), "{expected}: {text}");
        assert!(text.contains(&reference), "{text}");
    }
}

#[tokio::test]
async fn what_is_too_large_or_too_slow_is_given_up() {
    let pulled = image("wstd", Kind::Wasm);
    let registry = Fake::start(move |asked, _| Fake::of_image(&pulled, asked)).await;
    let reference = format!("oci://{}/hello:1", registry.address());
    let folder = Folder::new();
    let text = setup(&reference)
        .cache(folder.path())
        .section("load", "component_bytes_max = 1000")
        .fails()
        .await;
    assert!(
        text.contains("more than the 1000 that are allowed"),
        "{text}"
    );
    let is_blob = |it: &Asked| it.path.contains("/blobs/");
    assert!(
        !registry.asked().iter().any(is_blob),
        "it is not even asked for"
    );

    // Somebody who listens, and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let reference = format!("oci://{}/hello:1", silent.local_addr().unwrap());
    let text = setup(&reference)
        .cache(folder.path())
        .section("images", "timeout_ms = 100")
        .fails()
        .await;
    assert!(
        text.contains("longer than the 100 ms of `timeout_ms`"),
        "{text}"
    );
}

#[tokio::test]
async fn storage_elsewhere_is_not_shown_the_password() {
    let pulled = image("wstd", Kind::Wasm);
    let storage = {
        let pulled = pulled.clone();
        Fake::start(move |_, _| good(pulled.component.clone())).await
    };
    let place = storage.address();
    let registry = Fake::start(move |asked, _| {
        if asked.authorization.is_none() {
            let mut answer = status(StatusCode::UNAUTHORIZED);
            let fields = answer.headers_mut();
            fields.insert("www-authenticate", "Basic realm=\"tests\"".parse().unwrap());
            return answer;
        }
        if !asked.path.contains("/blobs/") {
            return Fake::of_image(&pulled, asked);
        }
        let mut answer = status(StatusCode::TEMPORARY_REDIRECT);
        let location = format!("http://{place}/signed?x=y").parse().unwrap();
        answer.headers_mut().insert("location", location);
        answer
    })
    .await;
    let address = registry.address().to_string();
    let folder = Folder::new();
    let host = setup(&format!("oci://{address}/hello:1"))
        .data(folder.path())
        .section("images", "credentials = \"docker.json\"")
        .file("docker.json", CREDENTIALS.replace("ADDRESS", &address))
        .start()
        .await;
    assert_eq!(get(&host, "/hello").await.text(), "Hello from wstd");
    let expected = Asked {
        path: "/signed?x=y".into(),
        authorization: None,
    };
    assert_eq!(storage.asked(), [expected]);
}

#[tokio::test]
async fn a_registry_elsewhere_is_spoken_with_over_tls() {
    let pulled = image("wstd", Kind::Wasm);
    let registry = Fake::start(move |asked, _| Fake::of_image(&pulled, asked)).await;
    // It is this machine, but not by its name.
    let elsewhere = format!("0.0.0.0:{}", registry.address().port());
    let reference = format!("oci://{elsewhere}/hello:1");
    let folder = Folder::new();
    let text = setup(&reference).cache(folder.path()).fails().await;
    assert!(text.contains("no TLS"), "{text}");
    assert!(text.contains("plain_http"), "{text}");
    assert_eq!(registry.asked(), []);
    let data = folder.path().display().to_string();
    let arguments = ["--plain-http", &elsewhere, "--data", &data];
    let host = Host::run(Path::new(&reference), &arguments).await;
    assert_eq!(get(&host, "/hello").await.text(), "Hello from wstd");
}
