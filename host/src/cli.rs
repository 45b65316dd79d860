//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use holdfast_core::manifest::DEFAULT_LISTEN;

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
    #[command(flatten)]
    pub(crate) storage: Storage,
}

/// Where things are kept.
#[derive(Debug, Args)]
pub(crate) struct Storage {
    /// Folder of what plugins keep (`wasi:keyvalue`) [default: only in memory]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Folder of compiled components [default: the user's cache folder]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) cache: Option<PathBuf>,
    /// Compile again at every start
    #[arg(long, global = true, conflicts_with = "cache")]
    pub(crate) no_cache: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    New(New),
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
    },
    /// Show what a component exports and imports, and what it must be granted
    #[command(after_help = "\
Examples:
  holdfast inspect chat.wasm")]
    Inspect {
        /// The component
        #[arg(value_name = "COMPONENT.wasm")]
        component: PathBuf,
    },
}

/// Serve one component, without a manifest
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  holdfast run chat.wasm
  holdfast run chat.wasm --listen 0.0.0.0:80 --config greeting=Hello
  holdfast run proxy.wasm --allow-http api.example.com --allow-http '*.example.org'")]
pub(crate) struct Run {
    /// The component
    #[arg(value_name = "COMPONENT.wasm")]
    pub(crate) component: PathBuf,
    /// Address and port; port 0 takes a free one
    #[arg(long, default_value = DEFAULT_LISTEN, value_name = "ADDRESS:PORT")]
    pub(crate) listen: SocketAddr,
    /// A setting for the component (`wasi:config`); may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    pub(crate) config: Vec<(String, String)>,
    /// A host to which the component may send requests; may be repeated
    #[arg(long, value_name = "HOST")]
    pub(crate) allow_http: Vec<String>,
}

/// Write a project that `holdfast dev` builds and serves at once
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  holdfast new my-plugin
  holdfast new talk --template chat --path ~/projects/talk")]
pub(crate) struct New {
    /// Name of the project, of its crate and of its plugin
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// What it handles
    #[arg(long, value_enum, default_value_t = Template::Websocket)]
    pub(crate) template: Template,
    /// Folder to write it to; there must be nothing in it [default: NAME]
    #[arg(long, value_name = "DIR")]
    pub(crate) path: Option<PathBuf>,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Color {
    /// When standard error is a terminal
    Auto,
    Always,
    Never,
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write it as KEY=VALUE".into()),
    }
}
