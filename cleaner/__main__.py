"""``python -m cleaner`` is ``cleaner``."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command; whoever interrupts it while it is being loaded sees no traceback."""
    try:
        from cleaner.cli import main as command
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted.\n")
        sys.exit(130)  # 128 and the signal's number, as shells have it
    command(prog_name="cleaner")


if __name__ == "__main__":
    main()
