"""The example in one command: the pretend exchange, then `everytick up` in its place.

The provider is started first and ends with this process, which becomes `everytick up`.
"""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main() -> None:
    """Start the provider, then become `everytick up`."""
    provider = subprocess.Popen(  # noqa: S603 - our own file beside this one
        [sys.executable, HERE / "provider.py"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    first = provider.stdout.readline().strip() if provider.stdout else ""
    if not first:
        told = provider.stderr.read() if provider.stderr else ""
        sys.exit(f"the list provider did not start: {told.strip().splitlines()[-1] if told else 'no word'}")
    print(f"A pretend exchange serves {first}", flush=True)
    os.chdir(HERE)
    os.execv(sys.executable, [sys.executable, "-m", "everytick", "up", "everytick.toml", *sys.argv[1:]])  # noqa: S606


if __name__ == "__main__":
    main()
