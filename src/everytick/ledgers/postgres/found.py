"""Whether there is a ledger at an address, before anybody who only looks or works there makes one."""

from everytick.ledgers.postgres.address import address_of
from everytick.ledgers.postgres.connection import Connection


def holds_ledger(url: str) -> bool:
    """Tell whether a ledger was made in the schema that a URL names.

    Raises:
        ConfigError: The URL cannot be read.
        LedgerError: The server cannot be reached, or does not let us.
    """
    db = Connection(address_of(url))
    try:
        _, migration, *_ = db.rows("place", schema=db.quoted)[0]
    finally:
        db.close()
    return bool(migration)
