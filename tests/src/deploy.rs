//! What a test does to the plugins of a running host, as an operator would.

use std::path::PathBuf;
use std::process::Output;

use crate::build::{Build, put};
use crate::host::{Host, command};
use crate::http::get;
use crate::process;
use crate::setup::{FIXTURE, MANIFEST};
use crate::status::{Plugin, Status};
use crate::wait::found;

impl Host {
    /// The manifest.
    pub fn manifest(&self) -> PathBuf {
        self.folder().join(MANIFEST)
    }

    /// The component of the plugin of [`crate::setup::Setup::of_build`].
    pub fn component(&self) -> PathBuf {
        self.folder().join(FIXTURE).with_extension("wasm")
    }

    /// Deploys a build of the fixture.
    pub fn put(&self, build: &Build) {
        put(&self.component(), build.bytes());
    }

    /// Deploys a build, and waits until it answers requests.
    pub async fn switch(&self, form: &str, version: u32) {
        self.put(&Build::new(form, version));
        self.serves(version).await;
    }

    /// Waits until requests are answered by this build. None may fail.
    pub async fn serves(&self, version: u32) {
        let version = version.to_string();
        found(&format!("version {version}"), async || {
            let response = get(self, "/version").await;
            assert_eq!(response.status, 200, "{}", response.text());
            (response.text() == version).then_some(())
        })
        .await;
    }

    /// Changes the manifest: `old` has to be in it.
    pub fn edit(&self, old: &str, new: &str) {
        let text = std::fs::read_to_string(self.manifest()).expect("a manifest");
        assert!(text.contains(old), "no `{old}` in {text}");
        put(&self.manifest(), text.replace(old, new));
    }

    /// Runs a verb of the command line that speaks to this host.
    pub async fn say(&self, words: &[&str]) -> Output {
        let mut command = command();
        command.args(words).arg(self.manifest());
        process::output(command).await
    }

    /// The same, for a verb that is to succeed. Returns what it prints.
    pub async fn ask(&self, words: &[&str]) -> String {
        let output = self.say(words).await;
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{words:?}: {errors}");
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    /// What `holdfast status` says.
    pub async fn status(&self) -> Status {
        Status::parse(&self.ask(&["status", "--json"]).await)
    }

    /// What it says of the plugin of [`crate::setup::Setup::of_build`].
    pub async fn fixture(&self) -> Plugin {
        self.status().await.plugin(FIXTURE)
    }

    /// Waits until that fulfils a condition, and returns it.
    pub async fn becomes(&self, what: &str, condition: impl Fn(&Plugin) -> bool) -> Plugin {
        found(what, async || {
            let plugin = self.fixture().await;
            condition(&plugin).then_some(plugin)
        })
        .await
    }

    /// Waits until no generation is alive but that which is for everybody.
    pub async fn settles(&self) -> Plugin {
        self.becomes("one generation alone", |plugin| {
            let generations = plugin.generations();
            matches!(&generations[..], [only] if only.role == "stable")
        })
        .await
    }
}
