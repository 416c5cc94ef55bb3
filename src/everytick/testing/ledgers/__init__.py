"""The conformance suite of ledgers: what every store of ticks has to pass.

A test module of pytest inherits the whole of it, and says how a new, empty ledger is made::

    from everytick.testing.ledgers import LedgerSuite

    class TestMyLedger(LedgerSuite):
        @pytest.fixture
        def ledger(self, tmp_path):
            with MyLedger(tmp_path / "ledger") as ledger:
                yield ledger

``pytest.register_assert_rewrite("everytick.testing.ledgers")`` in a conftest.py makes failures tell more.
"""

from everytick.testing.ledgers.auditing import Auditing
from everytick.testing.ledgers.claiming import Claiming
from everytick.testing.ledgers.copying import Copying
from everytick.testing.ledgers.editing import Editing
from everytick.testing.ledgers.neighbours import Neighbours
from everytick.testing.ledgers.planning import Planning
from everytick.testing.ledgers.pruning import Pruning
from everytick.testing.ledgers.reading import Reading
from everytick.testing.ledgers.requesting import Requesting
from everytick.testing.ledgers.settling import Settling
from everytick.testing.ledgers.sweeping import Sweeping
from everytick.testing.ledgers.waiting import Waiting

__all__ = ["LedgerSuite"]


class LedgerSuite(
    Planning,
    Claiming,
    Waiting,
    Settling,
    Neighbours,
    Sweeping,
    Editing,
    Requesting,
    Reading,
    Copying,
    Pruning,
    Auditing,
):
    """Every test of the suite; each takes a ledger that is new and empty."""
