"""Bodies that arrive packed."""

import io
import zlib
from gzip import BadGzipFile, GzipFile

from everytick.errors import ExtractFailed

_MAGIC = b"\x1f\x8b"


def unpacked(body: bytes, limit: int) -> bytes:
    """Return a body without its gzip, if it has one; told by its first bytes, not by a name.

    Args:
        body: What arrived.
        limit: How many bytes it may unpack to.

    Raises:
        ExtractFailed: It is damaged, cut off, or larger than the limit.
    """
    if not body.startswith(_MAGIC):
        return body
    try:
        with GzipFile(fileobj=io.BytesIO(body)) as file:
            whole = file.read(limit + 1)
    except (BadGzipFile, EOFError, zlib.error) as error:
        raise ExtractFailed(f"the gzip is damaged or cut off: {error}") from error
    if len(whole) > limit:
        raise ExtractFailed(f"the gzip unpacks to more than size_limit, {limit:,} bytes")
    return whole
