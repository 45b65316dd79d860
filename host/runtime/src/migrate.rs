//! Moves a connection to a generation that has another format of attachments.

use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use holdfast_core::edge::{AttachmentError, Migrated};
use holdfast_core::event::{ConnectionState, Event, Failure, Outcome};

use crate::line::{PARTS_JOINED, line};
use crate::plugin::Plugin;
use crate::pool::Pool;
use crate::team::{Team, adopt};
use crate::world::websocket_0_1_0::Call;

/// How often an attachment is migrated that somebody changes at the same time.
const ATTEMPTS_MAX: u32 = 4;

/// A connection is to be moved before its next event.
pub(crate) struct Move {
    pub(crate) team: Rc<Team>,
    pub(crate) target: Rc<Pool>,
    /// Where it stays if it can't be moved.
    pub(crate) fallback: Option<Rc<Pool>>,
    /// The format of its attachment.
    pub(crate) from: Arc<str>,
}

/// Why a connection was not moved.
enum Obstacle {
    /// The guest can't migrate the attachment.
    Refused(String),
    /// It may go better next time.
    Busy,
}

impl Move {
    /// Moves the connection and runs its event there, or where it was.
    pub(crate) async fn run(self, mut event: Event) -> Outcome {
        let is_last = matches!(event, Event::Close(..));
        let (Event::Open(state) | Event::Message(state, _) | Event::Close(state, _)) = &mut event
        else {
            return self.target.run(event).await;
        };
        let target = self.target.plugin();
        let Err(obstacle) = self.migrate(state).await else {
            return self.target.run(event).await;
        };
        if let Obstacle::Refused(error) = obstacle {
            note(target, error);
            // The last event of a connection leaves nothing to remember.
            if !is_last {
                self.team.set_stuck(state.id, target);
            }
        }
        let pool = self.fallback.unwrap_or(self.target);
        if pool.plugin().number() != state.generation {
            adopt(pool.plugin(), state.id);
        }
        pool.run(event).await
    }

    /// Has the attachment migrated, and gives it to the connection.
    async fn migrate(&self, state: &mut ConnectionState) -> Result<(), Obstacle> {
        let plugin = self.target.plugin();
        for _ in 0..ATTEMPTS_MAX {
            let attachment = state.attachment.clone();
            let attachment = match self.target.migrate(&self.from, attachment).await {
                Ok(attachment) => attachment,
                Err(failure) => return Err(obstacle(&failure)),
            };
            let migrated = Migrated {
                attachment: attachment.clone(),
                expected: state.attachment_version,
            };
            match plugin
                .edge
                .adopt(state.id, &plugin.settings, Some(migrated))
            {
                Ok(version) => {
                    state.attachment = attachment;
                    state.attachment_version = version;
                    state.generation = plugin.number();
                    return Ok(());
                }
                Err(AttachmentError::Conflict(_)) => {}
                Err(error @ AttachmentError::TooLarge(_)) => {
                    return Err(Obstacle::Refused(format!("migrated: {error}")));
                }
                // The connection has ended; its events are told all the same.
                Err(AttachmentError::Gone) => {
                    state.attachment = attachment;
                    return Ok(());
                }
            }
            if let Some(now) = plugin.edge.get(plugin.settings.tenant, state.id) {
                state.attachment = now.attachment;
                state.attachment_version = now.attachment_version;
            }
        }
        Err(Obstacle::Busy)
    }
}

fn obstacle(failure: &Failure) -> Obstacle {
    match failure {
        Failure::Overloaded(_) | Failure::Disrupted => Obstacle::Busy,
        Failure::Handler(text) => Obstacle::Refused(text.clone()),
        // Its last part; what led there is of use to the guest's author only.
        Failure::Trap(text) => {
            let reason = text.rsplit(PARTS_JOINED).next().unwrap_or_default();
            Obstacle::Refused(Failure::Trap(reason.to_owned()).to_string())
        }
        Failure::NoHandler | Failure::Timeout(_) => Obstacle::Refused(failure.to_string()),
    }
}

/// Counts a failure, and logs the first of a generation.
fn note(plugin: &Plugin, error: String) {
    let settings = &plugin.settings;
    let error = line(&error).into_owned();
    if plugin.shared.tally.note_migration(error.clone()) {
        tracing::warn!(
            tenant = &*settings.tenant_name,
            plugin = &*settings.name,
            generation = settings.generation,
            "connections stay with their old generation, since an attachment can't be migrated: \
             {error}"
        );
    }
}

impl Pool {
    /// Has a guest of this generation turn an attachment into its own format. An
    /// event of its own, with the time of one.
    async fn migrate(
        self: &Rc<Self>,
        from: &Arc<str>,
        attachment: Bytes,
    ) -> Result<Bytes, Failure> {
        let (call, migrated) = Call::migrate(from, attachment);
        match Rc::clone(self).call(call).await {
            Outcome::Done => migrated.take().ok_or(Failure::Disrupted),
            Outcome::Failed(failure) => Err(failure),
            Outcome::Response(_) | Outcome::Accepted(_) | Outcome::Rejected(_) => {
                Err(Failure::NoHandler)
            }
        }
    }
}
