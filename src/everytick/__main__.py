"""`python -m everytick` is the command line."""

from everytick.cli import main

main()
