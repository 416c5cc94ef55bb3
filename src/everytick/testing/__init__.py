"""For tests of your own: a fake clock, the stepped engine, the simulation, the conformance suites."""
