"""All targets by name."""

from . import free, odd, packed, tables, whole

TARGETS = {
    "nse": whole.NSE,
    "amfi": whole.AMFI,
    "euronext": whole.EURONEXT,
    "xetra": whole.XETRA,
    "odd": odd.ODDLY,
    "gzip": packed.PACKED,
    "text": free.FREE,
    "extract": free.SEARCH,
    "table": tables.TABLE,
}
