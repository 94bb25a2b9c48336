"""The `xiezhi` command. Planning and learning from texts are pure computation and need no Django; all else is a management command."""

import os
import signal
import sys


def main(argv: list[str] | None = None) -> int:
    """Run `xiezhi <command> …`; returns the exit status. Dashes in a command's name stand for underscores in its module."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:1] == ["plan"]:
        from xiezhi.engines.planning.cli import main as plan

        return plan(arguments[1:])
    if arguments[:1] == ["complaints"]:
        from xiezhi.engines.text.cli import main as complaints

        return complaints(arguments[1:])

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "xiezhi.config.settings")
    from django.core.management import execute_from_command_line

    if arguments and not arguments[0].startswith("-"):
        arguments[0] = arguments[0].replace("-", "_")
    try:
        execute_from_command_line(["xiezhi", *arguments])
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return 128 + signal.SIGINT
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
