"""The release of Everytick that is running."""

VERSION = "0.1.0"
