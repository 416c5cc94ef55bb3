"""The example in one command: the pretend exchange, then `everytick up` in its place.

The provider listens where `everytick.toml` looks for the list. It is started first and ends with this
process, which becomes `everytick up`.
"""

import os
import subprocess
import sys
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

HERE = Path(__file__).resolve().parent


def main() -> None:
    """Start the provider, unless the list comes from elsewhere, then become `everytick up`."""
    os.chdir(HERE)
    told = tomllib.loads(Path("everytick.toml").read_text("utf-8"))
    url = urlsplit(told["feed"]["isins"]["url"])
    if url.hostname == "127.0.0.1":
        data = Path(told.get("data", "everytick-data"))
        data.mkdir(parents=True, exist_ok=True)
        print(f"A pretend exchange serves {provide(url.port or 80, data / 'exchange-day')}", flush=True)
    os.execv(sys.executable, [sys.executable, "-m", "everytick", "up", "everytick.toml", *sys.argv[1:]])  # noqa: S606


def provide(port: int, diary: Path) -> str:
    """Start the provider on the day after the last one; return the list's URL, told once it serves."""
    provider = subprocess.Popen(  # noqa: S603 - our own file beside this one
        [sys.executable, "provider.py", "--port", str(port), "--diary", str(diary)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,  # Ctrl-C is for Everytick, which may be downloading just then
    )
    told, trouble = provider.stdout, provider.stderr
    first = told.readline().strip() if told else ""
    if not first:
        lines = trouble.read().splitlines() if trouble else []
        sys.exit(f"the list provider did not start; is another example running? {''.join(lines[-1:])}")
    return first


if __name__ == "__main__":
    main()
