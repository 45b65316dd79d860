"""Makes componentize-py's event loop what handlers expect of asyncio.

As it comes, an event ends its component task as soon as the handler has returned, with
whatever tasks it has started; there are no timers; and an exception that nobody has asked a
task for ends the instance. Here a component task lives until its last asyncio task has ended,
timers wait with `wasi:clocks`, and such exceptions are logged.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from contextvars import Context, copy_context
from typing import Any, TypeVar

import componentize_py_async_support as support
import componentize_py_runtime
from componentize_py_types import Ok
from wit_world.imports import wasi_clocks_monotonic_clock_0_3_0 as clock

from holdfast import log

T = TypeVar("T")

_SLICE = 0.01
"""How long a timer waits at first, in seconds.

What the host has begun to wait for can't be taken back, so a timer waits in slices, each as
long as all before it: one that is cancelled holds its component task no longer than it was.
"""


# Types of asyncio's callbacks are looser here than there.
# mypy: disable-error-code="override"


class Loop(support._Loop):
    """componentize-py's event loop, completed."""

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        error = context.get("exception")
        message = str(context.get("message", "a task has failed"))
        if isinstance(error, BaseException):
            log.exception(message, error)
        else:
            log.error(message)

    def call_soon(
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        if context is None:
            context = copy_context()
        # A context of elsewhere, as that of the build, has no component task.
        state = context.get(support._future_state) or support._future_state.get()
        handle = asyncio.Handle(callback, args, self, context)
        state.handles.append(handle)
        return handle

    def create_task(
        self,
        coroutine: Coroutine[Any, Any, T],
        *,
        name: str | None = None,
        context: Context | None = None,
        eager_start: bool = False,
    ) -> asyncio.Task[T]:
        """Starts a task, for which the component task waits."""
        if context is None:
            context = copy_context()
        state = context[support._future_state]
        state.pending_count += 1

        def done(_: object) -> None:
            state.pending_count -= 1

        task: asyncio.Task[T] = asyncio.Task(
            coroutine, loop=self, name=name, context=context, eager_start=eager_start
        )
        # An eager task that has ended calls nobody back.
        if task.done():
            done(task)
        else:
            task.add_done_callback(done, context=context)
        return task

    def time(self) -> float:
        return time.monotonic()

    def call_later(
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        if context is None:
            context = copy_context()
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        self.create_task(self._wait(handle), context=context.copy())
        return handle

    async def _wait(self, handle: asyncio.TimerHandle) -> None:
        length = _SLICE
        while not handle.cancelled():
            rest = handle.when() - self.time()
            if rest <= 0:
                handle._run()
                return
            await clock.wait_for(int(min(rest, length) * 1e9) + 1)
            length *= 2

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """asyncio tells of it; `_wait` sees it by itself."""


async def await_result(result: Any) -> Any:
    """Waits for an import, also when whoever waits for it is cancelled meanwhile."""
    if isinstance(result, Ok):
        return result.value
    state = support._future_state.get()
    waitable, promise = result.value
    future = support._loop.create_future()
    state.futures[waitable] = future
    if state.waitable_set is None:
        state.waitable_set = componentize_py_runtime.waitable_set_new()
    componentize_py_runtime.waitable_join(waitable, state.waitable_set)
    try:
        event = await asyncio.shield(future)
    except asyncio.CancelledError:
        state.pending_count += 1

        def forget(late: asyncio.Future[Any]) -> None:
            componentize_py_runtime.promise_get_result(late.result(), promise)
            state.pending_count -= 1

        future.add_done_callback(forget)
        raise
    return componentize_py_runtime.promise_get_result(event, promise)


def start(work: Coroutine[Any, Any, None]) -> None:
    """Begins work which goes on when the handler has returned.

    What the host takes at once, which is most of it, is done when this returns.
    """
    loop: Any = support._loop
    loop.create_task(work, eager_start=True)


def install() -> None:
    """Puts it in the place of the loop that is there."""
    support._loop.__class__ = Loop
    support.await_result = await_result


def run() -> None:
    """From now on it is the running loop."""
    asyncio._set_running_loop(support._loop)
