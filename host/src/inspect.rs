//! `holdfast inspect`: what a component is, on standard output.

use std::path::Path;

use holdfast_core::limits::{LoadLimits, MEMORY_BYTES_CEILING};
use holdfast_runtime::{Compiler, EngineLimits, Engines, Inspection, Loader, Provision};

use crate::cli::Storage;
use crate::problem::Problem;
use crate::{images, system};

/// Shows a component. Fails when the host could not run it.
pub(crate) fn inspect(path: &Path, storage: &Storage) -> Result<(), Problem> {
    let cache = system::cache(storage)?;
    // Whoever looks at a component waits for it, and can end this.
    let limits = LoadLimits::default();
    let loader = Loader::new(engines()?, cache, Compiler::InProcess, limits)?;
    let problem = |error| Problem::component(path, &error);
    let bytes = images::read(path, &loader, storage)?;
    let inspection = loader.inspect(&bytes).map_err(problem)?;
    print(path, &inspection);
    inspection.handlers.map(drop).map_err(problem)
}

/// Engines for looking at components, which run nothing.
pub(crate) fn engines() -> anyhow::Result<Engines> {
    Engines::new(&EngineLimits {
        instances_max: 1,
        memory_bytes_max: MEMORY_BYTES_CEILING as usize,
        table_elements_max: 1_000_000,
    })
}

fn print(path: &Path, inspection: &Inspection) {
    println!("{}", path.display());
    println!("  digest        {}", inspection.digest);
    println!("  size          {} KiB", inspection.size.div_ceil(1024));
    println!("  compile time  {:.0?}", inspection.compile_time);
    if let Ok(handlers) = &inspection.handlers {
        let names = [("HTTP", handlers.http), ("WebSocket", handlers.websocket)];
        let names = names.iter().filter(|(_, has)| *has).map(|(name, _)| *name);
        println!("  handles       {}", names.collect::<Vec<_>>().join(", "));
    }
    if let Some(linked) = inspection.linked {
        println!("  linked        {linked}");
    }
    println!("  exports");
    for export in &inspection.exports {
        println!("    {export}");
    }
    println!("  imports");
    let width = inspection
        .imports
        .iter()
        .map(|import| import.name.len())
        .max();
    for import in &inspection.imports {
        let note = match import.provision {
            Ok(Provision::Granted) => String::new(),
            Ok(Provision::ByGrant(key)) => format!("what `{key}` grants"),
            Ok(Provision::Denied(what)) => format!("without effect: {what}"),
            Err(who) => format!("not provided by this host: {who}"),
        };
        let line = format!(
            "    {:width$}  {note}",
            import.name,
            width = width.unwrap_or(0)
        );
        println!("{}", line.trim_end());
    }
}
