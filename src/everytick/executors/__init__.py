"""Ways to run an attempt, one to a file; the contract is `everytick.executor`."""
