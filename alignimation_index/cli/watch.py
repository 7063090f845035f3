"""`alignindex watch`."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from alignimation_index.cli.output import opened_store, progress_bar, say
from alignimation_index.cli.update import ModelOptions, choose_models, keep_min_face, model_options

STOP_WITHIN_S = 4


@click.command(short_help="Index new and changed photos as they come.")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@model_options
@click.option(
    "--settle",
    type=click.FloatRange(0),
    default=2,
    show_default=True,
    help="Seconds that a file must not have changed before it is looked at.",
)
@click.option(
    "--poll-interval",
    type=click.FloatRange(0, min_open=True),
    default=60,
    show_default=True,
    help="Seconds between looks at folders of which no events come, such as those on a network.",
)
@click.option("--once", is_flag=True, help="End when nothing is left to do and no file is still growing.")
@click.pass_context
def watch(
    context: click.Context,
    paths: tuple[Path, ...],
    computing: ModelOptions,
    settle: float,
    poll_interval: float,
    once: bool,
) -> None:
    """Do what update does, and again whenever something changes in the folders, until it is stopped.

    A file is indexed once it has stopped changing. Stopping loses nothing; what changed meanwhile is seen at the next
    start.
    """
    from alignimation_index.pipeline.scan import add_roots
    from alignimation_index.pipeline.watch import Intervals
    from alignimation_index.pipeline.watch import watch as run_watch

    with stopped_by_signals() as stop, opened_store(context, create=True) as store:
        add_roots(store, paths)
        keep_min_face(store, computing.min_face)
        with progress_bar() as progress:
            models = choose_models(store, computing, progress)
        intervals = Intervals(settle=settle, poll=poll_interval)
        run_watch(store, models, say, stop, intervals, workers=computing.workers, once=once)


@contextmanager
def stopped_by_signals() -> Iterator[threading.Event]:
    """Yield an event that SIGTERM and SIGINT set; STOP_WITHIN_S later the process ends, whatever it is at.

    Ending anywhere is as harmless as SIGKILL is. A thread learns of the signals through a socket, since a Python signal
    handler would not run before the main thread is back from what it does in C, such as loading networks.
    """
    stop = threading.Event()
    receiver, sender = socket.socketpair()
    sender.setblocking(False)
    fd_before = signal.set_wakeup_fd(sender.fileno())
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGTERM, signal.SIGINT)}
    threading.Thread(target=_await_signal, args=(receiver, stop), name="signals", daemon=True).start()
    try:
        yield stop
    finally:
        signal.set_wakeup_fd(fd_before)
        for number, handler in before.items():
            signal.signal(number, handler)
        sender.close()


def _await_signal(receiver: socket.socket, stop: threading.Event) -> None:
    with receiver:
        if receiver.recv(1):  # nothing, once the sender is closed
            stop.set()
            time.sleep(STOP_WITHIN_S)
            os._exit(0)
