//! From one save to the next: build, let the host look, tell people.

use tokio::time::Instant;

use super::build::{Build, Outcome};
use super::page::{self, Fault};
use super::project::Project;
use super::report::{self, Verdict};
use super::sources::Saved;
use super::terminal::shown;
use super::{Dev, Live, cargo};

/// What people should know besides when something is wrong.
const BEFORE: &str = "The code from before keeps serving.";

impl Dev {
    /// Builds until there is something to serve.
    pub(super) async fn until_built(&mut self) {
        let name = self.project.name();
        self.terminal.say(&format!("building {name}"));
        let mut saved = Saved::nothing();
        loop {
            let (outcome, newest) = self.build(saved, true).await;
            if self.complaint(outcome).is_none() {
                let took = shown(newest.at.elapsed());
                return self.terminal.say(&format!("built in {took}"));
            }
            let line = format!("{name} can't be built; save a file to try again");
            self.terminal.say(&line);
            saved = self.sources.next().await;
        }
    }

    /// Builds and serves what is saved, until the host is about to end.
    pub(super) async fn serve(&mut self, live: &Live) {
        let name = self.project.name();
        let line = format!(
            "{name}: listening on http://{} (Ctrl-C ends it)",
            live.address
        );
        self.terminal.say(&line);
        loop {
            let saved = self.sources.next().await;
            let (outcome, saved) = self.build(saved, false).await;
            let built = Instant::now();
            let verdict = match self.complaint(outcome) {
                Some(complaint) => Verdict::NotBuilt(complaint),
                None => match live.look().await {
                    Some(Verdict::Same) if saved.paths.contains(&self.project.manifest) => {
                        Verdict::Manifest
                    }
                    Some(verdict) => verdict,
                    None => return,
                },
            };
            let end = Instant::now();
            if let Verdict::NotServed(why) = &verdict {
                self.terminal.show(why);
            }
            self.show(live, &verdict);
            let what = report::names(&saved, &self.project.folder);
            let line = verdict.line(built - saved.at, end - built);
            self.terminal.say(&format!("{what} saved → {line}"));
        }
    }

    /// Builds what is there; returns the last save that is in it.
    async fn build(&mut self, mut saved: Saved, is_first: bool) -> (Outcome, Saved) {
        loop {
            // The manifest may say something else now. One that is wrong is
            // reported when it comes to be in force.
            if let Ok(project) = Project::read(&self.project.folder) {
                self.sources.follow(&project);
                self.project = project;
            }
            let preparation = self.project.preparation();
            let started = match &preparation {
                Some(preparation) => {
                    self.terminal.say(preparation.what);
                    Build::prepare(&self.project, preparation)
                }
                None => Build::start(&self.project),
            };
            let mut build = match started {
                Ok(build) => build,
                Err(error) => return (self.project.recipe.not_started(&error), saved),
            };
            let outcome = tokio::select! {
                outcome = build.finish(self.terminal, is_first) => outcome,
                newer = self.sources.next() => {
                    build.cancel().await;
                    saved = newer;
                    continue;
                }
            };
            let lost = |error| Outcome::failed(format!("the builder is lost: {error}\n"));
            let outcome = outcome.unwrap_or_else(lost);
            match preparation {
                // Now it can be built.
                Some(preparation) if outcome.is_good && preparation.done().is_ok() => {}
                _ => return (outcome, saved),
            }
        }
    }

    /// What people have to read, if a build has not made what the manifest
    /// names.
    fn complaint(&self, outcome: Outcome) -> Option<String> {
        let problem = match outcome.is_good {
            true => Some(self.project.install(&outcome).err()?),
            false => cargo::problem(&outcome.output),
        };
        let text = problem.map(|problem| format!("error: {problem}\n"));
        let text = text.unwrap_or_default();
        self.terminal.show(&text);
        Some(outcome.output + &text)
    }

    /// Lets browsers know.
    fn show(&mut self, live: &Live, verdict: &Verdict) {
        let (what, output) = match verdict {
            Verdict::NotBuilt(output) => ("built", output),
            Verdict::NotServed(why) => ("served", why),
            Verdict::New | Verdict::Same | Verdict::Manifest => {
                return live.hub.set_fault_page(None);
            }
        };
        self.faults += 1;
        live.hub.set_fault_page(Some(page::render(&Fault {
            number: self.faults,
            title: &format!("{} can't be {what}", self.project.name()),
            note: BEFORE,
            output,
        })));
    }
}
