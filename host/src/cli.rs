//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use holdfast_core::manifest::{DEFAULT_LISTEN, DEFAULT_TENANT};

use crate::language::Language;
use crate::new::Template;

/// Serves HTTP requests and WebSocket events with handlers in a WebAssembly
/// sandbox.
#[derive(Debug, Parser)]
#[command(name = "holdfast", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) verb: Verb,
    /// Colours in the log
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    pub(crate) color: Color,
    /// What to log: a level, or more exactly `info,guest=debug`
    #[arg(long, global = true, env = "HOLDFAST_LOG", value_name = "FILTER")]
    pub(crate) log: Option<String>,
    /// How the log is written
    #[arg(
        long,
        global = true,
        value_enum,
        env = "HOLDFAST_LOG_FORMAT",
        default_value_t = LogFormat::Text,
        value_name = "FORMAT"
    )]
    pub(crate) log_format: LogFormat,
    #[command(flatten)]
    pub(crate) storage: Storage,
}

/// Where things are kept.
#[derive(Debug, Args)]
pub(crate) struct Storage {
    /// Folder of what plugins keep and of what is deployed [default: only in memory]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Folder of compiled components [default: the user's cache folder]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) cache: Option<PathBuf>,
    /// Size of that folder in bytes; what was not used for the longest time goes
    #[arg(long, global = true, value_name = "BYTES", default_value_t = CACHE_BYTES_MAX)]
    pub(crate) cache_bytes_max: u64,
    /// Compile again at every start
    #[arg(long, global = true, conflicts_with = "cache")]
    pub(crate) no_cache: bool,
}

/// A few hundred components of the larger kind.
const CACHE_BYTES_MAX: u64 = 2 << 30;

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    New(New),
    Dev(Dev),
    /// Build a project once
    #[command(after_help = "\
Examples:
  holdfast build
  holdfast build my-plugin")]
    Build {
        /// The project's folder
        #[arg(default_value = ".", value_name = "DIR")]
        folder: PathBuf,
    },
    Run(Run),
    /// Serve the plugins and routes of a manifest
    #[command(after_help = "\
Examples:
  holdfast serve
  holdfast serve /etc/holdfast/holdfast.toml --log info,guest=debug")]
    Serve {
        /// The manifest
        #[arg(default_value = "holdfast.toml", value_name = "MANIFEST")]
        manifest: PathBuf,
        #[command(flatten)]
        operation: Operation,
    },
    /// Show what a running host serves, and what went wrong
    #[command(after_help = "\
Examples:
  holdfast status
  holdfast status /etc/holdfast/holdfast.toml --json")]
    Status {
        #[command(flatten)]
        access: Access,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Let a running host look at its files now; wait until what has changed serves
    #[command(after_help = "\
Examples:
  holdfast reload")]
    Reload {
        #[command(flatten)]
        access: Access,
    },
    /// Go back to an earlier generation of a plugin
    #[command(after_help = "\
Examples:
  holdfast rollback chat
  holdfast rollback chat --tenant acme --to 3f2a91")]
    Rollback {
        #[command(flatten)]
        target: Target,
        /// How the digest of its component begins [default: the one before]
        #[arg(long, value_name = "DIGEST")]
        to: Option<String>,
    },
    /// Let the canary of a plugin serve everybody
    #[command(after_help = "\
Examples:
  holdfast promote chat")]
    Promote {
        #[command(flatten)]
        target: Target,
    },
    Deploy(Deploy),
    /// Show the tenants of a running host
    #[command(after_help = "\
Examples:
  holdfast tenants
  holdfast tenants /etc/holdfast/holdfast.toml --json")]
    Tenants {
        #[command(flatten)]
        access: Access,
        /// As JSON, one tenant a line
        #[arg(long)]
        json: bool,
    },
    Logs(Logs),
    /// Show what a component exports and imports, and what it must be granted
    #[command(after_help = "\
Examples:
  holdfast inspect chat.wasm")]
    Inspect {
        /// The component: a file, or oci://REGISTRY/NAME:TAG
        #[arg(value_name = "COMPONENT.wasm")]
        component: PathBuf,
    },
    Component(Component),
    Compile(Compile),
}

/// Compile a component ahead, into the cache: what is there starts at once
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  holdfast compile chat.wasm
  holdfast compile chat.wasm --cache /var/cache/holdfast")]
pub(crate) struct Compile {
    /// The component: a file, or oci://REGISTRY/NAME:TAG
    #[arg(value_name = "COMPONENT.wasm", required_unless_present = "parent")]
    pub(crate) component: Option<PathBuf>,
    // Without a component it is the compiler of a host, which tells it this.
    /// Memory it may have
    #[arg(long, hide = true, value_name = "BYTES", default_value_t = 0)]
    pub(crate) memory_bytes_max: u64,
    /// Process id of the host, without which it ends
    #[arg(long, hide = true, value_name = "PID", conflicts_with = "component")]
    pub(crate) parent: Option<u32>,
}

/// Make a component of a core module, as compilers for C and Go write it
#[derive(Debug, Args)]
#[command(after_help = "\
The module names the interfaces it uses and provides in sections of its own, which
bindings from wit-bindgen bring along. Imports of WASI preview 1 are adapted.

Examples:
  holdfast component build/module.wasm --output plugin.wasm")]
pub(crate) struct Component {
    /// The core module
    #[arg(value_name = "MODULE.wasm")]
    pub(crate) module: PathBuf,
    /// The file to write
    #[arg(long, short, value_name = "COMPONENT.wasm")]
    pub(crate) output: PathBuf,
}

/// Serve one component, without a manifest
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  holdfast run chat.wasm
  holdfast run chat.wasm --listen 0.0.0.0:80 --config greeting=Hello
  holdfast run site.wasm --folder /public=./public --env MODE=test
  holdfast run proxy.wasm --allow-http api.example.com --allow-http '*.example.org'
  holdfast run oci://ghcr.io/acme/chat:1.2")]
pub(crate) struct Run {
    /// The component: a file, or oci://REGISTRY/NAME:TAG
    #[arg(value_name = "COMPONENT.wasm")]
    pub(crate) component: PathBuf,
    /// Address and port; port 0 takes a free one
    #[arg(long, default_value = DEFAULT_LISTEN, value_name = "ADDRESS:PORT")]
    pub(crate) listen: SocketAddr,
    /// A setting for the component (`wasi:config`); may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    pub(crate) config: Vec<(String, String)>,
    /// An environment variable of the component; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    pub(crate) env: Vec<(String, String)>,
    /// A folder which the component can read, and where it finds it; may be repeated
    #[arg(long, value_name = "GUEST=DIR", value_parser = folder)]
    pub(crate) folder: Vec<(String, String)>,
    /// A host to which the component may send requests; may be repeated
    #[arg(long, value_name = "HOST")]
    pub(crate) allow_http: Vec<String>,
    /// A registry that is spoken with without TLS; may be repeated
    #[arg(long, value_name = "REGISTRY")]
    pub(crate) plain_http: Vec<String>,
    #[command(flatten)]
    pub(crate) operation: Operation,
}

/// How a running host is changed.
#[derive(Debug, Args)]
pub(crate) struct Operation {
    /// Don't watch the files; `holdfast reload` and SIGHUP look at them
    #[arg(long)]
    pub(crate) no_watch: bool,
    /// No admin listener: `holdfast status` and the like find no host
    #[arg(long)]
    pub(crate) no_admin: bool,
}

/// Which running host is meant.
#[derive(Debug, Args)]
pub(crate) struct Access {
    /// The manifest with which it was started, or the component
    #[arg(default_value = "holdfast.toml", value_name = "MANIFEST")]
    pub(crate) manifest: PathBuf,
    /// Where its admin listener is [default: what it has written to its file]
    #[arg(long, env = "HOLDFAST_ADMIN", value_name = "URL")]
    pub(crate) admin: Option<String>,
    /// The token for it [default: what it has written to its file]
    #[arg(
        long,
        env = "HOLDFAST_TOKEN",
        hide_env_values = true,
        value_name = "TOKEN"
    )]
    pub(crate) token: Option<String>,
}

/// Which plugin is meant.
#[derive(Debug, Args)]
pub(crate) struct Target {
    /// The plugin
    #[arg(value_name = "PLUGIN")]
    pub(crate) plugin: String,
    /// Its tenant
    #[arg(long, default_value = DEFAULT_TENANT, value_name = "TENANT")]
    pub(crate) tenant: String,
    #[command(flatten)]
    pub(crate) access: Access,
}

/// Show the last lines of a running host's log
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  holdfast logs
  holdfast logs --tenant acme --plugin chat --level warn --follow")]
pub(crate) struct Logs {
    #[command(flatten)]
    pub(crate) access: Access,
    /// Lines about this tenant
    #[arg(long, value_name = "TENANT")]
    pub(crate) tenant: Option<String>,
    /// Lines about plugins of this name
    #[arg(long, value_name = "PLUGIN")]
    pub(crate) plugin: Option<String>,
    /// The least level; the host's --log says what there is
    #[arg(long, value_enum, value_name = "LEVEL")]
    pub(crate) level: Option<Level>,
    /// Go on with the lines that come
    #[arg(long, short)]
    pub(crate) follow: bool,
    /// As JSON, one object a line
    #[arg(long)]
    pub(crate) json: bool,
}

/// How much a line matters.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Level {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

impl Level {
    /// As the host calls it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// Let a running host serve a component, which it keeps in its --data folder
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  holdfast deploy chat.wasm --plugin chat
  holdfast deploy oci://ghcr.io/acme/chat:1.2 --plugin chat
  holdfast deploy chat.wasm --plugin chat --tenant acme --admin http://10.0.0.7:9000")]
pub(crate) struct Deploy {
    /// The component: a file, or oci://REGISTRY/NAME:TAG
    #[arg(value_name = "COMPONENT.wasm")]
    pub(crate) component: PathBuf,
    /// The plugin which it is of
    #[arg(long, value_name = "PLUGIN")]
    pub(crate) plugin: String,
    /// Its tenant
    #[arg(long, default_value = DEFAULT_TENANT, value_name = "TENANT")]
    pub(crate) tenant: String,
    #[command(flatten)]
    pub(crate) access: Access,
}

/// Write a project that `holdfast dev` builds and serves at once
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  holdfast new my-plugin
  holdfast new greeter --lang python --template http
  holdfast new talk --template chat --path ~/projects/talk")]
pub(crate) struct New {
    /// Name of the project and of its plugin
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// What it is written in
    #[arg(long, value_enum, default_value_t = Language::Rust, value_name = "LANGUAGE")]
    pub(crate) lang: Language,
    /// What it handles
    #[arg(long, value_enum, default_value_t = Template::Websocket)]
    pub(crate) template: Template,
    /// Folder to write it to; there must be nothing in it [default: NAME]
    #[arg(long, value_name = "DIR")]
    pub(crate) path: Option<PathBuf>,
}

/// Build a project, serve it, and reload it whenever a file is saved
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  holdfast dev
  holdfast dev my-plugin --listen 127.0.0.1:9000")]
pub(crate) struct Dev {
    /// The project's folder
    #[arg(default_value = ".", value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// Address and port; port 0 takes a free one [default: the manifest's]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) listen: Option<SocketAddr>,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people
    Text,
    /// For machines: one JSON object a line
    Json,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Color {
    /// When standard error is a terminal
    Auto,
    Always,
    Never,
}

fn folder(text: &str) -> Result<(String, String), String> {
    pair(text).map_err(|_| "write it as /NAME=DIR".into())
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write it as KEY=VALUE".into()),
    }
}
