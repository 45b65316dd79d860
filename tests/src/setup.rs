//! Says how a host is to be started.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::build::Build;
use crate::folder::Folder;
use crate::host::{self, Host};
use crate::names::Names;
use crate::stage::Stage;
use crate::wait::patiently;
use crate::{place, process};

/// The manifest's name in the host's folder.
pub(crate) const MANIFEST: &str = "holdfast.toml";

/// The name of the plugin of [`Setup::of_build`].
pub const FIXTURE: &str = "fixture";

/// A host with one plugin, made step by step. For anything else there is
/// [`Setup::manifest`].
#[derive(Debug)]
pub struct Setup {
    host: String,
    plugin: String,
    limits: String,
    sections: String,
    config: String,
    deploy: String,
    rest: String,
    files: Vec<(String, Vec<u8>)>,
    variables: Vec<(&'static str, String)>,
    cache: PathBuf,
    data: Option<PathBuf>,
    binary: Command,
    is_alone: bool,
}

impl Setup {
    /// One plugin made of the guest `name`, on every path.
    pub fn new(name: &str) -> Self {
        Self::of_file(name, &place::guest(name))
    }

    /// One plugin made of this component, on every path.
    pub fn of_file(name: &str, component: &Path) -> Self {
        Self::one(name, &component.display().to_string())
    }

    /// One plugin, `fixture`, on every path. Its component is the file
    /// [`Host::component`] in the host's own folder, where a test can replace it.
    pub fn of_build(build: &Build) -> Self {
        let name = format!("{FIXTURE}.wasm");
        Self::one(FIXTURE, &name).file(&name, build.bytes())
    }

    fn one(name: &str, component: &str) -> Self {
        let plugin = format!("[[plugin]]\nname = \"{name}\"\ncomponent = \"{component}\"\n");
        let rest = format!("[[route]]\npath = \"/\"\nplugin = \"{name}\"\n");
        Self::of(plugin, rest)
    }

    /// The plugins and routes of a manifest, without what comes before them. In
    /// it, `{NAME.wasm}` stands for the path of that guest.
    pub fn manifest(text: &str) -> Self {
        let mut parts = text.split('{');
        let mut filled = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (name, rest) = part.split_once(".wasm}").expect("a guest's name");
            let _ = write!(filled, "{}{rest}", place::guest(name).display());
        }
        Self::of(String::new(), filled)
    }

    /// Tenants with folders of their own in the folder `tenants`, after these
    /// sections of the manifest.
    pub fn tenants(sections: &str) -> Self {
        Self::of(String::new(), sections.to_owned()).host("tenants", "\"tenants\"")
    }

    fn of(plugin: String, rest: String) -> Self {
        Self {
            host: "listen = \"127.0.0.1:0\"\n".to_owned(),
            plugin,
            limits: String::new(),
            sections: String::new(),
            config: String::new(),
            deploy: String::new(),
            rest,
            files: Vec::new(),
            variables: Vec::new(),
            cache: place::cache(),
            data: None,
            binary: host::command(),
            is_alone: false,
        }
    }

    /// Listens at free ports: plain, with TLS, and one that redirects to that.
    /// The certificates are in the host's folder, where a test can replace them.
    pub fn tls(self, keys: &str) -> Self {
        let mut setup = self;
        setup.host.clear();
        let listen = "[{ address = \"127.0.0.1:0\" }, \
             { address = \"127.0.0.1:0\", tls = true }, \
             { address = \"127.0.0.1:0\", redirect = \"https\" }]";
        setup.sections = format!(
            "[tls]\ncertificates = [{{ cert = \"own.pem\", key = \"own.key\" }}]\n{keys}\n"
        );
        setup
            .host("listen", listen)
            .file("own.pem", place::certificate("one.pem"))
            .file("own.key", place::certificate("one.key"))
    }

    /// The same with a key of the manifest in the place of all others.
    pub fn host_only(mut self, key: &str, value: &str) -> Self {
        self.host.clear();
        self.host(key, value)
    }

    /// A section of the manifest.
    pub fn section(mut self, name: &str, keys: &str) -> Self {
        let _ = write!(self.sections, "[{name}]\n{keys}\n");
        self
    }

    /// A key of the manifest itself.
    pub fn host(mut self, key: &str, value: impl std::fmt::Display) -> Self {
        let _ = writeln!(self.host, "{key} = {value}");
        self
    }

    /// The tenant that owns the plugin.
    pub fn tenant(mut self, name: &str) -> Self {
        let _ = writeln!(self.rest, "tenant = \"{name}\"");
        self.plugin("tenant", &format!("\"{name}\""))
    }

    /// A key of the plugin.
    pub fn plugin(mut self, key: &str, value: &str) -> Self {
        let _ = writeln!(self.plugin, "{key} = {value}");
        self
    }

    /// A limit of the plugin.
    pub fn limit(mut self, key: &str, value: u64) -> Self {
        let _ = writeln!(self.limits, "{key} = {value}");
        self
    }

    /// A setting that the guest can read.
    pub fn config(mut self, key: &str, value: &str) -> Self {
        let _ = writeln!(self.config, "{key} = \"{value}\"");
        self
    }

    /// How a new generation takes over.
    pub fn deploy(mut self, key: &str, value: impl std::fmt::Display) -> Self {
        let _ = writeln!(self.deploy, "{key} = {value}");
        self
    }

    /// A file in the host's folder.
    pub fn file(mut self, name: &str, content: impl Into<Vec<u8>>) -> Self {
        self.files.push((name.to_owned(), content.into()));
        self
    }

    /// An environment variable of the host.
    pub fn variable(mut self, name: &'static str, value: &str) -> Self {
        self.variables.push((name, value.to_owned()));
        self
    }

    /// A cache of its own; the folder is made if it is not there.
    pub fn cache(mut self, folder: &Path) -> Self {
        self.cache = folder.to_owned();
        self
    }

    /// Keeps what plugins and operators leave there in this folder.
    pub fn data(mut self, folder: &Path) -> Self {
        self.data = Some(folder.to_owned());
        self
    }

    /// Has the host know these names, and no others.
    pub fn names(mut self, names: &Names) -> Self {
        self.binary = names.command();
        self
    }

    /// Waits until no other test uses the machine, and keeps others out.
    pub fn alone(mut self) -> Self {
        self.is_alone = true;
        self
    }

    /// Starts the host and waits until it listens.
    pub async fn start(self) -> Host {
        let stage = if self.is_alone {
            Stage::alone().await
        } else {
            Stage::shared().await
        };
        let folder = Folder::new();
        for (name, content) in &self.files {
            folder.write(name, content);
        }
        let manifest = folder.write(MANIFEST, self.text());
        let mut arguments = vec![
            "serve".to_owned(),
            manifest.display().to_string(),
            "--cache".to_owned(),
            self.cache.display().to_string(),
        ];
        if let Some(data) = &self.data {
            arguments.extend(["--data".to_owned(), data.display().to_string()]);
        }
        let variables = &self.variables;
        let host = Host::start(self.binary, &arguments, variables, folder, stage).await;
        match self.host.contains("tls = true") {
            true => host.secured().await,
            false => host,
        }
    }

    /// Starts the host, which is to fail, and returns what it says.
    pub async fn fails(self) -> String {
        let folder = Folder::new();
        for (name, content) in &self.files {
            folder.write(name, content);
        }
        let manifest = folder.write(MANIFEST, self.text());
        let mut command = host::command();
        command.arg("serve").arg(manifest);
        command.arg("--cache").arg(&self.cache);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        let output = patiently("the host to end", process::output(command)).await;
        let text = String::from_utf8(output.stderr).expect("UTF-8");
        assert_eq!(output.status.code(), Some(1), "{text}");
        text
    }

    fn text(&self) -> String {
        let mut text = format!("{}{}{}", self.host, self.sections, self.plugin);
        if !self.limits.is_empty() {
            let _ = write!(text, "[plugin.limits]\n{}", self.limits);
        }
        if !self.config.is_empty() {
            let _ = write!(text, "[plugin.config]\n{}", self.config);
        }
        if !self.deploy.is_empty() {
            let _ = write!(text, "[plugin.deploy]\n{}", self.deploy);
        }
        text + &self.rest
    }
}
