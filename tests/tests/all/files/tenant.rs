//! Tenants serve what is in their own folders.

use std::os::unix::fs::symlink;

use holdfast_tests::build::put;
use holdfast_tests::host::Host;
use holdfast_tests::http::Response;
use holdfast_tests::setup::Setup;
use holdfast_tests::wait::found;

use super::ask;

const OPERATOR: &str = "[tenant-defaults]\nhosts = [\"{tenant}.example\"]\n\
    paths = [\"/\"]\n[tenant.paths]\npaths = [\"/own\"]\n";

fn route(files: &str) -> String {
    format!("[[route]]\npath = \"/\"\nfiles = \"{files}\"\n")
}

async fn get(host: &Host, authority: &str, path: &str) -> Response {
    let mut request = holdfast_tests::http::request("GET", path, holdfast_tests::http::full(""));
    let authority = authority.parse().unwrap();
    request.headers_mut().insert("host", authority);
    holdfast_tests::http::whole(host, request).await
}

#[tokio::test]
async fn each_serves_its_own_folder() {
    let host = Setup::tenants(OPERATOR)
        .file("tenants/acme/tenant.toml", route("public"))
        .file("tenants/acme/public/index.html", "acme")
        .file("tenants/bob/tenant.toml", route("deep/public"))
        .file("tenants/bob/deep/public/index.html", "bob")
        .file("tenants/paths/tenant.toml", route("public"))
        .file("tenants/paths/public/index.html", "paths")
        .start()
        .await;
    assert_eq!(get(&host, "acme.example", "/").await.text(), "acme");
    assert_eq!(get(&host, "bob.example", "/").await.text(), "bob");
    assert_eq!(ask(&host, "GET", "/", &[]).await.status, 404);
    // Outside of what is its own it has no route.
    assert_eq!(get(&host, "paths.example", "/").await.status, 404);
    // Links lead nowhere outside of the folder, not even within the tenant's own.
    let acme = host.folder().join("tenants/acme");
    symlink("../tenant.toml", acme.join("public/up")).unwrap();
    symlink("../../bob/deep/public", acme.join("public/bob")).unwrap();
    for path in ["/up", "/bob/", "/bob/index.html", "/../tenant.toml"] {
        assert_eq!(get(&host, "acme.example", path).await.status, 404, "{path}");
    }
    // The folder itself may be a link within the tenant's own, as deployments have
    // it, and not to anywhere else.
    std::fs::create_dir_all(acme.join("releases/2")).unwrap();
    std::fs::write(acme.join("releases/2/index.html"), "second").unwrap();
    std::fs::rename(acme.join("public"), acme.join("releases/1")).unwrap();
    symlink("releases/2", acme.join("public")).unwrap();
    assert_eq!(get(&host, "acme.example", "/").await.text(), "second");
    symlink("../bob/deep/public", acme.join("new")).unwrap();
    std::fs::rename(acme.join("new"), acme.join("public")).unwrap();
    assert_eq!(get(&host, "acme.example", "/").await.status, 404);
}

#[tokio::test]
async fn it_names_no_folder_that_is_not_its_own() {
    let host = Setup::tenants(OPERATOR)
        .file("tenants/acme/tenant.toml", route("public"))
        .file("tenants/acme/public/index.html", "acme")
        .start()
        .await;
    let file = host.folder().join("tenants/acme/tenant.toml");
    for (files, error) in [
        ("../bob", "`files` is \\\"../bob\\\""),
        ("/etc", "`files` is \\\"/etc\\\""),
        (".", "in which the manifest itself is"),
    ] {
        put(&file, route(files));
        host.logged(&["a tenant's file is not in force", error])
            .await;
        assert_eq!(get(&host, "acme.example", "/").await.text(), "acme");
    }
    put(&file, route("other"));
    found("the other folder", async || {
        (get(&host, "acme.example", "/").await.status == 404).then_some(())
    })
    .await;
}
