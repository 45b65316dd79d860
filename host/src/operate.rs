//! The verbs that ask a running host: `status`, `reload`, `rollback`, `promote`,
//! `deploy`, `tenants`, `logs`.

mod client;
mod lines;
mod table;

use std::io::{ErrorKind, Write};
use std::path::Path;

use serde::de::DeserializeOwned;

use crate::admin::{Answer, Meeting, Rollback, TenantPage, places};
use crate::cli::{Access, Deploy, Logs, Storage, Target};
use crate::fleet::{Change, Report};
use crate::images;
use crate::problem::Problem;
use client::Client;

/// `holdfast status`.
pub(crate) fn status(access: &Access, storage: &Storage, json: bool) -> Result<(), Problem> {
    let body = find(access, storage)?.get("/v1/status")?;
    if json {
        println!("{}", String::from_utf8_lossy(&body));
        return Ok(());
    }
    let answer: Answer = read(&body)?;
    print!("{}", table::status(&answer));
    Ok(())
}

/// `holdfast reload`. Fails if something could not be loaded.
pub(crate) fn reload(access: &Access, storage: &Storage) -> Result<(), Problem> {
    let body = find(access, storage)?.post("/v1/reload", &())?;
    let report: Report = read(&body)?;
    print!("{}", table::report(&report));
    match report.is_good() {
        true => Ok(()),
        false => Err(Problem::new(
            "not everything could be loaded; what served before goes on serving",
            "mend it; the host loads it again when the file changes",
        )),
    }
}

/// `holdfast rollback`.
pub(crate) fn rollback(
    target: &Target,
    digest: Option<&str>,
    storage: &Storage,
) -> Result<(), Problem> {
    let body = Rollback {
        digest: digest.map(str::to_owned),
    };
    change(target, "rollback", &body, storage)
}

/// `holdfast promote`.
pub(crate) fn promote(target: &Target, storage: &Storage) -> Result<(), Problem> {
    change(target, "promote", &(), storage)
}

/// `holdfast deploy`.
pub(crate) fn deploy(arguments: &Deploy, storage: &Storage) -> Result<(), Problem> {
    let file = arguments.component.display();
    let component = match images::named(&arguments.component, storage)? {
        Some(component) => component,
        None => std::fs::read(&arguments.component).map_err(|error| {
            Problem::new(
                format!("{file}: it can't be read: {error}"),
                "check the path, and that this user may read the file",
            )
        })?,
    };
    let path = path(&arguments.tenant, &arguments.plugin, "component")?;
    let body = find(&arguments.access, storage)?.put(&path, component)?;
    let change: Change = read(&body)?;
    println!("{}", table::change(&change));
    Ok(())
}

/// `holdfast tenants`.
pub(crate) fn tenants(access: &Access, storage: &Storage, json: bool) -> Result<(), Problem> {
    let client = find(access, storage)?;
    let mut all = Vec::new();
    let mut cursor = String::new();
    loop {
        let body = client.get(&format!("/v1/tenants?limit=1000{cursor}"))?;
        let page: TenantPage = read(&body)?;
        all.extend(page.tenants);
        match page.next {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    match json {
        true => {
            for tenant in &all {
                let line = serde_json::to_string(tenant).map_err(anyhow::Error::from)?;
                println!("{line}");
            }
        }
        false => print!("{}", table::tenants(&all)),
    }
    Ok(())
}

/// `holdfast logs`.
pub(crate) fn logs(arguments: &Logs, storage: &Storage) -> Result<(), Problem> {
    let query = [
        ("tenant", arguments.tenant.as_deref()),
        ("plugin", arguments.plugin.as_deref()),
        ("level", arguments.level.map(|level| level.name())),
        ("follow", arguments.follow.then_some("true")),
    ];
    let mut path = form_urlencoded::Serializer::new("/v1/logs?".to_owned());
    for (key, value) in query {
        if let Some(value) = value {
            path.append_pair(key, value);
        }
    }
    let path = path.finish();
    let mut lines = lines::Lines::new(arguments.json);
    let mut output = std::io::stdout().lock();
    let mut broken = false;
    let followed = find(&arguments.access, storage)?.follow(&path, |bytes| {
        let written = lines
            .write(bytes, &mut output)
            .and_then(|()| output.flush());
        // Whoever reads this has seen enough.
        broken = matches!(&written, Err(error) if error.kind() == ErrorKind::BrokenPipe);
        written
    });
    match broken {
        true => Ok(()),
        false => followed,
    }
}

fn change(
    target: &Target,
    what: &str,
    body: &impl serde::Serialize,
    storage: &Storage,
) -> Result<(), Problem> {
    let path = path(&target.tenant, &target.plugin, what)?;
    let body = find(&target.access, storage)?.post(&path, body)?;
    let change: Change = read(&body)?;
    println!("{}", table::change(&change));
    Ok(())
}

/// Where a plugin can be asked for something.
fn path(tenant: &str, plugin: &str, what: &str) -> Result<String, Problem> {
    // In a path, whatever is no name would mean something else.
    for name in [tenant, plugin] {
        if !name
            .bytes()
            .all(|it| it.is_ascii_alphanumeric() || b"-_".contains(&it))
        {
            return Err(Problem::new(
                format!("\"{name}\" is not a name"),
                "names have letters, digits, hyphens and underscores",
            ));
        }
    }
    Ok(format!("/v1/tenants/{tenant}/plugins/{plugin}/{what}"))
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|error| {
        Problem::new(
            format!("the host's answer can't be understood: {error}"),
            "use the `holdfast` with which the host was started",
        )
    })
}

/// The way to the running host.
fn find(access: &Access, storage: &Storage) -> Result<Client, Problem> {
    if let Some(url) = &access.admin {
        let token = access.token.as_deref().ok_or_else(|| {
            Problem::new(
                "there is no token for the host at --admin",
                "give it by --token, or in HOLDFAST_TOKEN",
            )
        })?;
        return Client::new(url, token);
    }
    let places = places(storage.data.as_deref(), &access.manifest);
    let meeting = places.iter().find_map(|place| Meeting::read(place).ok());
    let meeting = meeting.ok_or_else(|| not_running(&access.manifest))?;
    let token = access.token.as_deref().unwrap_or(&meeting.token);
    Client::new(&meeting.url, token)
}

fn not_running(manifest: &Path) -> Problem {
    Problem::new(
        format!("no host of this user serves {}", manifest.display()),
        "start it, name the manifest (or component) it was started with, give the --data it has, \
         or its --admin URL and --token",
    )
}
