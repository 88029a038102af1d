"""`make demo`: the whole system on this machine, syncing a simulated 1688 catalogue through the public API."""
