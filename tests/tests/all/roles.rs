//! Who may ask the admin listener for what.

use holdfast_tests::admin::Admin;
use holdfast_tests::folder::Folder;
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
