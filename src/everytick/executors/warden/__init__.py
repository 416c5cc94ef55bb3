"""The warden: one small process per runner, the parent of every attempt.

        runner ◀──── frames ────▶ warden ──┬──▶ worker    calls Python, again and again
      (may hang, stop,            (small,  ├──▶ worker ──▶ whatever it starts
       be killed)              one thread) └──▶ command ─▶ whatever it starts

    what happens                       who ends the attempts
    a timeout, a stop                  warden: SIGTERM to the family, SIGKILL after grace
    an attempt's process ends          warden: SIGKILL to what it left behind
    the runner dies                    warden: sees it at once, SIGKILL to all, ends
    the runner stands still, or is     warden: SIGKILL to all when the time that the runner
      cut off from its ledger            told it last has passed
    the warden dies                    kernel: SIGKILL to its children (PR_SET_PDEATHSIG);
                                       runner: to their families

Why it exists, with figures: docs/why/processes.md.
"""
