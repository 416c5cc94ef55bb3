"""Play one run on this stage: python -m tests.fault.cluster FOLDER SCORE, the score as JSON.

It is started by stage.py, inside namespaces of its own; by itself it would change this machine's network.
Its result is written to FOLDER/result.json.
"""

import json
import sys
from pathlib import Path

from .play import Score, play
from .stage import furnish


def main(folder: Path, score: Score) -> None:
    """Play a run, and write down what it came to."""
    result = play(score, furnish(), folder)
    (folder / "result.json").write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Score(**json.loads(sys.argv[2])))
