"""The command line: its commands, and the one place where errors end."""

from __future__ import annotations

import errno
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated, Any

import typer

from detectattn import __version__
from detectattn.cli.compare import compare
from detectattn.cli.demo import demo
from detectattn.cli.doctor import doctor
from detectattn.cli.exit_codes import EXIT_BUG, EXIT_FAILED, EXIT_INTERRUPTED, EXIT_PARTIAL, EXIT_USAGE
from detectattn.cli.explain import explain
from detectattn.cli.export import export
from detectattn.cli.help_text import PlainCommand
from detectattn.cli.inspect import inspect
from detectattn.cli.leaving import leave
from detectattn.cli.models import app as models_app
from detectattn.cli.predict import predict
from detectattn.cli.report import report
from detectattn.cli.standard_streams import bear_losses, open_closed_descriptors
from detectattn.errors import DetectattnError

app = typer.Typer(
    name="detectattn",
    help="Run, compare and understand object detectors: attention (RT-DETR) and convolution (YOLO).",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command(cls=PlainCommand)(predict)
app.command(cls=PlainCommand)(compare)
app.command(cls=PlainCommand)(explain)
app.command(cls=PlainCommand)(inspect)
app.command(cls=PlainCommand)(export)
app.command(cls=PlainCommand)(report)
app.add_typer(models_app, name="models")
app.command(cls=PlainCommand)(demo)
app.command(cls=PlainCommand)(doctor)

# Click's UsageError: its own package in older Typer, vendored in newer.
_UsageError: Any = typer.BadParameter.__base__


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"detectattn {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line and leave with its exit code.

    0 fine, 1 an expected error, 2 wrong usage, 3 a bug, 4 some inputs failed and the others are done, 130 interrupted.
    """
    open_closed_descriptors()
    leave(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command line; its exit code. No exception leaves this function.

    What standard error cannot take is dropped. A reader of standard output that goes away, as ``| head`` does, is no
    failure; other losses there are one, once the command is done.
    """
    with bear_losses() as streams:
        code = _run(arguments)
        loss = streams.describe_loss()
        if loss is None or code not in (0, EXIT_PARTIAL):
            return code
        _say(f"error: standard output cannot be written: {loss}. Send it elsewhere; a run's folder is whole.")
        return EXIT_FAILED


def _run(arguments: list[str]) -> int:
    try:
        code = app(arguments, standalone_mode=False)
    except _UsageError as error:
        message = error.format_message()
        if error.ctx and message == error.ctx.get_help():  # a group without a command
            _say(message)
            return EXIT_USAGE
        command = error.ctx.command_path if error.ctx else "detectattn"
        _say(f"error: {message} See `{command} --help`.")
        return EXIT_USAGE
    except DetectattnError as error:
        _say(f"error: {error}")
        return error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        _say("interrupted")
        return EXIT_INTERRUPTED
    except MemoryError as error:
        where = ", ".join(["there is too little memory", *_list_notes(error)])
        _say(f"error: {where}. Close other programs, or give it fewer or smaller pictures at once.")
        return DetectattnError.exit_code
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            return _report_bug(error)
        too_long = DetectattnError(f"{error.filename} is longer than a file's name can be", hint="Check what was typed")
        _say(f"error: {too_long}")
        return EXIT_USAGE
    except SystemExit as error:  # what Typer makes of any broken pipe; those of the standard streams do not get there
        return _report_bug(error.__context__ if isinstance(error.__context__, Exception) else error)
    except Exception as error:  # noqa: BLE001 - the one catch point: a bug becomes a line and a log, not a traceback
        return _report_bug(error)
    return code if isinstance(code, int) else 0


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def _report_bug(error: BaseException) -> int:
    log = import_module("detectattn.cli.buglog").write_bug_log(error)
    what = ", ".join([f"{type(error).__name__}: {error}", *_list_notes(error)])
    where = f"The details are in {log}" if log else "The details could not be written"
    _say(f"error: this is a bug in detectattn ({what}). {where}; please report it.")
    return EXIT_BUG


def _list_notes(error: BaseException) -> Sequence[str]:
    """What was added on the error's way: on which input it happened."""
    notes: Sequence[str] = getattr(error, "__notes__", ())
    return notes
