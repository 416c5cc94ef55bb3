from everytick.feeds.extract.extracted import Extracted
from everytick.feeds.extract.read import extract

__all__ = ["Extracted", "extract"]
