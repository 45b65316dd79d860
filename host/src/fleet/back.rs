//! Going back to an earlier generation, by hand or by itself, and the promotion
//! of a canary.

use holdfast_core::PluginId;
use holdfast_core::deploy::{Deploy, Strategy};
use holdfast_core::metrics::Reload;

use super::build::Order;
use super::deployed::Deployed;
use super::fault::Fault;
use super::plan::Name;
use super::report::{Change, What};
use super::version::{NoVersion, Version};
use super::{Fleet, Refusal, RefusalKind};

impl Fleet {
    /// Goes back to the generation before, or to one that is kept and whose
    /// digest begins with `prefix`. A canary is given up. The file is not loaded
    /// again until its content changes.
    pub(super) fn roll_back(
        &mut self,
        name: &Name,
        prefix: Option<&str>,
    ) -> Result<Change, Refusal> {
        let deployed = find(&mut self.plugins, name)?;
        let is_stable = |prefix: &str| {
            let stable = deployed.stable.as_ref();
            stable.is_some_and(|it| it.digest.starts_with(prefix))
        };
        if deployed.canary.is_some() && prefix.is_none_or(is_stable) {
            self.builder.runtime.abandon(deployed.id);
            deployed.give_up_canary();
        } else if prefix.is_some_and(is_stable) {
            return Err(conflict(
                format!("the plugin {name} serves that component already"),
                "`holdfast status --json` lists the generations that are kept",
            ));
        } else {
            let version = deployed.history.take(prefix).map_err(|error| {
                let hint = match error {
                    NoVersion::Empty => {
                        "`generations_kept` in `deploy` says how many are kept from now on"
                    }
                    NoVersion::AllGivenUp => "name one of them by its digest",
                    NoVersion::Unknown(_) | NoVersion::Ambiguous(_) => {
                        "`holdfast status --json` lists the generations that are kept"
                    }
                };
                conflict(format!("the plugin {name}: {error}"), hint)
            })?;
            self.go_back(name, version)
                .map_err(|fault| conflict(fault.message, fault.hint.unwrap_or_default()))?;
        }
        let deployed = find(&mut self.plugins, name)?;
        // What is wrong with the file still is.
        deployed.fault.take_if(|fault| fault.file.is_none());
        deployed.metrics.note_reload(Reload::RolledBack);
        self.hub.set_draining(deployed.id, false);
        let change = deployed.change(name, What::RolledBack);
        let generation = change.generation;
        let (tenant, plugin) = (&*name.tenant, &*name.plugin);
        tracing::info!(tenant, plugin, generation, "rolled back");
        self.remember(name);
        self.after_turn();
        Ok(change)
    }

    /// Lets the canary serve everybody.
    pub(super) fn promote(&mut self, name: &Name) -> Result<Change, Refusal> {
        let deployed = find(&mut self.plugins, name)?;
        let Some(canary) = deployed.canary.take() else {
            return Err(conflict(
                format!("the plugin {name} has no canary"),
                "a canary comes with the next component, if `deploy` in the manifest says so",
            ));
        };
        self.builder.runtime.promote(deployed.id);
        deployed.serve(canary);
        deployed.turns += 1;
        let change = deployed.change(name, What::Promoted);
        let generation = change.generation;
        let (tenant, plugin) = (&*name.tenant, &*name.plugin);
        tracing::info!(tenant, plugin, generation, "promoted");
        self.remember(name);
        self.after_turn();
        Ok(change)
    }

    /// A generation has failed too many of its first events.
    pub(super) fn give_up(&mut self, id: PluginId, number: u32) {
        let mut plugins = self.plugins.iter_mut();
        let Some((name, deployed)) = plugins.find(|(_, deployed)| deployed.id == id) else {
            return;
        };
        let name = name.clone();
        let is_it =
            |version: &Option<Version>| version.as_ref().is_some_and(|it| it.number == number);
        let (is_canary, is_stable) = (is_it(&deployed.canary), is_it(&deployed.stable));
        if !is_canary && !is_stable {
            // Something else has taken its place meanwhile.
            return;
        }
        let probation = deployed.newest().map(|it| it.entry.deploy.probation);
        let what = match probation {
            Some(it) => format!(
                "generation {number} has failed in more than {} % of its first {} events",
                it.failed_percent, it.events
            ),
            None => format!("generation {number} has failed"),
        };
        let result = if is_canary {
            self.builder.runtime.abandon(id);
            deployed.give_up_canary();
            Ok(())
        } else {
            match deployed.history.take(None) {
                Ok(version) => self.go_back(&name, version),
                Err(error) => Err(Fault::new(
                    format!("it goes on serving: {error}"),
                    "mend the component",
                )),
            }
        };
        let Some(deployed) = self.plugins.get_mut(&name) else {
            return;
        };
        if result.is_ok() {
            deployed.metrics.note_reload(Reload::RolledBack);
        }
        let serving = deployed.newest().map_or(0, |version| version.number);
        let fault = match result {
            Ok(()) => Fault::new(
                format!("{what}; generation {serving} serves again"),
                "mend the component; its file is loaded again when it has changed",
            ),
            Err(fault) => Fault::new(
                format!("{what}; {}", fault.message),
                fault.hint.unwrap_or_default(),
            ),
        };
        fault.log_of(&name, "a generation is given up");
        deployed.fault = Some(fault);
        self.remember(&name);
        self.after_turn();
    }

    /// Makes a new generation of an earlier one, and gives up the one that
    /// serves. It is for everybody at once, whatever the strategy.
    fn go_back(&mut self, name: &Name, version: Version) -> Result<(), Fault> {
        let Some(deployed) = self.plugins.get_mut(name) else {
            return Ok(());
        };
        let deploy = Deploy {
            strategy: Strategy::All,
            ..deployed.wanted.deploy
        };
        let order = Order {
            deploy,
            ..deployed.generation(&version.entry, None, Some(version.loaded.clone()))
        };
        let number = order.number;
        let done = self.builder.run(order);
        match done.result {
            Ok(Some(built)) => {
                self.builder.runtime.install(built.prepared);
                deployed.give_up_canary();
                if let Some(stable) = &mut deployed.stable {
                    stable.given_up = true;
                }
                deployed.install(built.version, deploy);
                deployed.turns += 1;
                Ok(())
            }
            Ok(None) => Ok(()),
            Err(fault) => {
                deployed.return_number(number);
                deployed.history.put_back(version);
                Err(fault)
            }
        }
    }

    pub(super) fn after_turn(&mut self) {
        self.route();
        self.builder.runtime.tidy();
        self.publish();
    }
}

impl Deployed {
    /// The canary, if there is one, serves nobody any more.
    fn give_up_canary(&mut self) {
        if let Some(mut canary) = self.canary.take() {
            canary.given_up = true;
            self.history
                .push(canary, self.wanted.deploy.generations_kept);
            self.turns += 1;
        }
    }
}

pub(super) fn find<'a>(
    plugins: &'a mut std::collections::BTreeMap<Name, Deployed>,
    name: &Name,
) -> Result<&'a mut Deployed, Refusal> {
    // Other tenants' plugins are nobody's business here.
    let known = plugins.keys().filter(|it| it.tenant == name.tenant);
    let known = known.map(|it| format!("`{}`", it.plugin));
    let known: Vec<_> = known.collect();
    plugins.get_mut(name).ok_or_else(|| Refusal {
        kind: RefusalKind::NotFound,
        message: format!("there is no plugin {name}"),
        hint: match known.is_empty() {
            true => "the tenant has no plugins".into(),
            false => format!("its plugins are {}", known.join(", ")),
        },
    })
}

pub(super) fn conflict(message: String, hint: impl Into<String>) -> Refusal {
    Refusal {
        kind: RefusalKind::Conflict,
        message,
        hint: hint.into(),
    }
}
