//! Who may ask the admin listener for what.

use std::collections::BTreeSet;

use holdfast_tests::admin::Admin;
use holdfast_tests::folder::Folder;
use holdfast_tests::host::Host;
use holdfast_tests::schema::operations;
use holdfast_tests::setup::Setup;

const MANIFEST: &str = "
[[admin.tokens]]
name = \"all\"
role = \"operator\"
env = \"TEST_TOKEN_OF_OPERATOR\"
[[admin.tokens]]
name = \"ci\"
role = \"deploy\"
tenant = \"acme\"
file = \"ci.token\"
[[admin.tokens]]
name = \"monitoring\"
role = \"read-only\"
env = \"TEST_TOKEN_OF_MONITORING\"
[[admin.tokens]]
name = \"acme\"
role = \"read-only\"
tenant = \"acme\"
token_sha256 = \"0d36ad451ea2d5ee77a005daace240493f287498da79e54f91911aa1815a16a4\"
[[plugin]]
name = \"chat\"
tenant = \"acme\"
component = \"{plain.wasm}\"
[[plugin]]
name = \"secret\"
tenant = \"other\"
component = \"{plain.wasm}\"
[[route]]
path = \"/\"
plugin = \"chat\"
tenant = \"acme\"
";

/// Who asks: the token, and what comes of each request of [`REQUESTS`].
const CALLERS: [(&str, [u16; 8]); 6] = [
    (
        "operators-token-1",
        [200, 200, 200, 409, 409, 422, 404, 409],
    ),
    (
        "deployers-token-1",
        [200, 200, 403, 409, 409, 422, 404, 404],
    ),
    (
        "monitors-token-12",
        [200, 200, 403, 403, 403, 403, 403, 403],
    ),
    (
        "reader-of-acme-12",
        [200, 200, 403, 403, 403, 403, 403, 404],
    ),
    (
        "nobodys-token-123",
        [401, 401, 401, 401, 401, 401, 401, 401],
    ),
    ("", [401, 401, 401, 401, 401, 401, 401, 401]),
];

const REQUESTS: [(&str, &str, &str); 8] = [
    ("GET", "/v1/status", ""),
    ("GET", "/metrics", ""),
    ("POST", "/v1/reload", ""),
    ("POST", "/v1/tenants/acme/plugins/chat/rollback", ""),
    ("POST", "/v1/tenants/acme/plugins/chat/promote", ""),
    ("PUT", "/v1/tenants/acme/plugins/chat/component", "garbage"),
    (
        "POST",
        "/v1/tenants/acme/plugins/chat/deploy",
        "{\"digest\":\"00\"}",
    ),
    ("POST", "/v1/tenants/other/plugins/secret/promote", ""),
];

#[tokio::test]
async fn each_role_may_do_so_much() {
    let data = Folder::new();
    let host = Setup::manifest(MANIFEST)
        .file("ci.token", "deployers-token-1\n")
        .variable("TEST_TOKEN_OF_OPERATOR", "operators-token-1")
        .variable("TEST_TOKEN_OF_MONITORING", "monitors-token-12")
        .data(data.path())
        .start()
        .await;
    let own = Admin::of(data.path());
    for (token, statuses) in CALLERS {
        let admin = own.with_token(token);
        for ((method, path, body), status) in REQUESTS.into_iter().zip(statuses) {
            let answer = admin.ask(method, path, body).await;
            assert_eq!(
                answer.status,
                status,
                "{token} {method} {path}: {}",
                answer.text()
            );
            let is_others = path.contains("other") && status == 404;
            assert!(!is_others || !answer.text().contains("secret"));
        }
        assert_eq!(admin.ask("GET", "/v1/health", "").await.status, 200);
    }

    // What a tenant sees is its own.
    for (token, sees_all) in [("monitors-token-12", true), ("reader-of-acme-12", false)] {
        let admin = own.with_token(token);
        for path in ["/v1/status", "/metrics"] {
            let answer = admin.ask("GET", path, "").await;
            assert!(answer.text().contains("chat"), "{token} {path}");
            assert_eq!(answer.text().contains("secret"), sees_all, "{token} {path}");
        }
    }
    // What is not there and what is another's look the same.
    let deployer = own.with_token("deployers-token-1");
    let others = "/v1/tenants/other/plugins/secret/promote";
    let nobodys = "/v1/tenants/nobody/plugins/nothing/promote";
    let (others, nobodys) = (
        deployer.ask("POST", others, "").await,
        deployer.ask("POST", nobodys, "").await,
    );
    assert_eq!(others.status, nobodys.status);
    assert_eq!(others.body, nobodys.body);
    host.stop().await;
}

/// Every operation: method, path, body, the least role (a place in [`ROLES`];
/// none if no token is needed), and what comes of it for those who may.
const OPERATIONS: [(&str, &str, &str, Option<usize>, u16); 22] = [
    ("GET", "/v1/health", "", None, 200),
    ("GET", "/v1/ready", "", None, 200),
    ("GET", "/v1/openapi.json", "", Some(0), 200),
    ("GET", "/v1/status", "", Some(0), 200),
    ("GET", "/metrics", "", Some(0), 200),
    ("GET", "/v1/logs", "", Some(0), 200),
    ("POST", "/v1/reload", "", Some(2), 200),
    ("GET", "/v1/tenants", "", Some(0), 200),
    ("GET", "/v1/tenants/{tenant}", "", Some(0), 200),
    ("GET", "{plugin}", "", Some(0), 200),
    ("POST", "{plugin}/rollback", "", Some(1), 409),
    ("POST", "{plugin}/promote", "", Some(1), 409),
    ("PUT", "{plugin}/component", "garbage", Some(1), 422),
    ("POST", "{plugin}/deploy", DIGEST, Some(1), 404),
    ("POST", "{plugin}/drain", "", Some(1), 200),
    ("POST", "{plugin}/undrain", "", Some(1), 200),
    ("GET", "{plugin}/connections", "", Some(0), 200),
    ("GET", "{plugin}/connections/{connection}", "", Some(0), 404),
    (
        "POST",
        "{plugin}/connections/{connection}/close",
        "",
        Some(1),
        404,
    ),
    (
        "POST",
        "{plugin}/connections/{connection}/send",
        SEND,
        Some(1),
        404,
    ),
    ("GET", "/v1/tenants/{tenant}/topics", "", Some(0), 200),
    (
        "POST",
        "/v1/tenants/{tenant}/topics/publish",
        PUBLISH,
        Some(1),
        200,
    ),
];

const PLUGIN: &str = "/v1/tenants/{tenant}/plugins/{plugin}";
const DIGEST: &str = r#"{"digest":"00"}"#;
const SEND: &str = r#"{"message":{"text":"a"}}"#;
const PUBLISH: &str = r#"{"topic":"a","message":{"text":"a"}}"#;

/// From the least to the highest.
const ROLES: [&str; 3] = ["read-only", "deploy", "operator"];

/// Tokens, their roles, and the only tenant with which they have to do.
const BEARERS: [(&str, Option<usize>, Option<&str>); 6] = [
    ("operators-token-1", Some(2), None),
    ("deployers-token-1", Some(1), Some("acme")),
    ("monitors-token-12", Some(0), None),
    ("reader-of-acme-12", Some(0), Some("acme")),
    ("nobodys-token-123", None, None),
    ("", None, None),
];

/// A tenant and its plugin: the tenant of some tokens, another one, and nobody.
const OWNERS: [(&str, &str); 3] = [("acme", "chat"), ("other", "secret"), ("nobody", "none")];

async fn start(data: &Folder) -> Host {
    Setup::manifest(MANIFEST)
        .file("ci.token", "deployers-token-1\n")
        .variable("TEST_TOKEN_OF_OPERATOR", "operators-token-1")
        .variable("TEST_TOKEN_OF_MONITORING", "monitors-token-12")
        .data(data.path())
        .start()
        .await
}

/// The path as the document has it.
fn whole(path: &str) -> String {
    match path.strip_prefix("{plugin}") {
        Some(rest) => format!("{PLUGIN}{rest}"),
        None => path.to_owned(),
    }
}

#[tokio::test]
async fn no_operation_works_with_the_wrong_token() {
    let data = Folder::new();
    let host = start(&data).await;
    let own = Admin::of(data.path());
    let listed = OPERATIONS.iter().map(|it| (it.0.to_owned(), whole(it.1)));
    let described = operations().map(|(method, path, _)| (method, path.to_owned()));
    let described: BTreeSet<_> = described.collect();
    assert_eq!(listed.collect::<BTreeSet<_>>(), described);
    for (method, path, body, least, good) in OPERATIONS {
        let form = whole(path);
        let is_owned = form.contains("{tenant}");
        let owners = if is_owned { &OWNERS[..] } else { &OWNERS[..1] };
        for (token, role, only) in BEARERS {
            let admin = own.with_token(token);
            for (tenant, plugin) in owners {
                let path = form
                    .replace("{tenant}", tenant)
                    .replace("{plugin}", plugin)
                    .replace("{connection}", &"0".repeat(32));
                let is_foreign = is_owned && only.is_some_and(|only| only != *tenant);
                let expected = match (least, role) {
                    (None, _) => good,
                    (Some(_), None) => 401,
                    _ if is_foreign => 404,
                    (Some(least), Some(role)) if role < least => 403,
                    _ if *tenant == "nobody" => 404,
                    _ => good,
                };
                let answer = admin.ask(method, &path, body).await;
                let what = format!("{method} {path} by `{token}`: {}", answer.text());
                assert_eq!(answer.status, expected, "{what}");
                if expected == 403 {
                    let least = least.map_or("", |least| ROLES[least]);
                    assert!(answer.text().contains(&format!("`{least}`")), "{what}");
                }
                if role.is_some() && is_foreign {
                    // Whether there is such a tenant or not.
                    assert!(answer.text().contains("one tenant"), "{what}");
                    assert!(!answer.text().contains(plugin), "{what}");
                }
            }
        }
    }
    host.stop().await;
}

#[tokio::test]
async fn what_a_tenant_sees_names_no_other() {
    let data = Folder::new();
    let host = start(&data).await;
    let own = Admin::of(data.path());
    for (token, sees_all) in [("monitors-token-12", true), ("deployers-token-1", false)] {
        let admin = own.with_token(token);
        for path in ["/v1/status", "/v1/tenants", "/metrics"] {
            let answer = admin.ask("GET", path, "").await;
            assert!(answer.text().contains("\"acme\""), "{token} {path}");
            // There are kinds of failures with that name.
            let sees = answer
                .text()
                .replace("kind=\"other\"", "")
                .contains("\"other\"");
            assert_eq!(sees, sees_all, "{token} {path}");
        }
    }
    host.stop().await;
}

#[tokio::test]
async fn a_token_that_is_missing_or_short_ends_the_start() {
    for (value, expected) in [("short", "can't be one"), ("", "can't be one")] {
        let error = Setup::manifest(MANIFEST)
            .file("ci.token", value)
            .variable("TEST_TOKEN_OF_OPERATOR", "operators-token-1")
            .variable("TEST_TOKEN_OF_MONITORING", "monitors-token-12")
            .fails()
            .await;
        assert!(error.contains(expected), "{error}");
    }
}
