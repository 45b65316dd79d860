//! Calls of async functions of the host which a guest has under way (component
//! model, Concurrency.md).

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use tokio::time::Sleep;
use wasmtime::{Result, bail};

use super::handles::Entry;
use super::waits::{Bell, Event, SUBTASK, Waitable};
use super::{State, Value};
use crate::guest::Guest;
use crate::http_0_3::flow::{Answer, Sending, received};

/// How far a call is.
const STARTED: u32 = 1;
const RETURNED: u32 = 2;
const CANCELLED: u32 = 4;

/// What a call waits for.
pub(super) enum Work {
    /// A time. It returns nothing.
    Sleep(Pin<Box<Sleep>>),
    /// A response, which is written to this address.
    Response(Sending, u32),
}

/// One call.
pub(super) struct Subtask {
    pub(super) waitable: Waitable,
    /// None when it has ended.
    work: Option<Work>,
}

/// What a call has come to.
enum Ended {
    Nothing,
    Response(Answer, u32),
}

impl Work {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Ended> {
        match self {
            Self::Sleep(sleep) => sleep.as_mut().poll(context).map(|()| Ended::Nothing),
            Self::Response(sending, at) => {
                let answer = sending.as_mut().poll(context);
                answer.map(|answer| Ended::Response(answer, *at))
            }
        }
    }
}

impl State {
    /// The guest sleeps. Says how far that is, and its handle if it is under way.
    pub(super) fn call_for_time(&mut self, time: Duration) -> Result<u32> {
        match time.is_zero() {
            true => Ok(RETURNED),
            false => self.call(Work::Sleep(Box::pin(tokio::time::sleep(time)))),
        }
    }

    /// The guest sends a request.
    pub(crate) fn call_for_response(&mut self, sending: Sending, at: u32) -> Result<u32> {
        self.call(Work::Response(sending, at))
    }

    /// The worker looks at it when the guest has returned.
    fn call(&mut self, work: Work) -> Result<u32> {
        let handle = self.handles.add(Entry::Subtask(Subtask {
            waitable: Waitable::default(),
            work: Some(work),
        }))?;
        let woken = Arc::clone(&self.woken);
        Arc::new(Bell { handle, woken }).wake();
        Ok(handle << 4 | STARTED)
    }

    /// Goes on with a call, if it is one, and tells the guest when it has ended. What
    /// is returned has to be written to the guest's memory first.
    pub(super) fn proceed_subtask(guest: &mut Guest, handle: u32) -> Result<Option<(u32, Value)>> {
        let woken = Arc::clone(&guest.direct.woken);
        let Ok(subtask) = guest.direct.handles.subtask(handle) else {
            return Ok(None);
        };
        let Some(work) = &mut subtask.work else {
            return Ok(None);
        };
        let waker = Waker::from(Arc::new(Bell { handle, woken }));
        let Poll::Ready(ended) = work.poll(&mut Context::from_waker(&waker)) else {
            return Ok(None);
        };
        subtask.work = None;
        match ended {
            Ended::Nothing => {
                guest.direct.end_subtask(handle)?;
                Ok(None)
            }
            Ended::Response(answer, at) => {
                let response = match answer {
                    Ok(response) => Ok(received(&mut guest.http_0_3(), response)?),
                    Err(code) => Err(code),
                };
                Ok(Some((at, Value::Response(response))))
            }
        }
    }

    /// A call has returned.
    pub(super) fn end_subtask(&mut self, handle: u32) -> Result<()> {
        self.notify(Event {
            code: SUBTASK,
            handle,
            payload: RETURNED,
        })
    }

    /// `subtask.cancel`: says how far it has come.
    pub(super) fn cancel_subtask(&mut self, handle: u32) -> Result<u32> {
        let subtask = self.handles.subtask(handle)?;
        match (subtask.waitable.event.take(), subtask.work.take()) {
            (Some(event), _) => Ok(event.payload),
            (None, Some(_)) => Ok(CANCELLED),
            (None, None) => bail!("a call is cancelled which has ended"),
        }
    }

    /// `subtask.drop`.
    pub(super) fn drop_subtask(&mut self, handle: u32) -> Result<()> {
        let subtask = self.handles.subtask(handle)?;
        if subtask.work.is_some() || subtask.waitable.event.is_some() {
            bail!("a call is dropped which is under way");
        }
        self.leave_set(handle)?;
        self.handles.remove(handle);
        Ok(())
    }
}
