"""numpy in one thread; whoever needs it has it from here.

Its linear algebra, which nobody here asks for anything, begins with a thread for every further processor, and those
wait for work by turning round: on two processors 50 to 100 ms of CPU time at the start of a process, more on more.
"""

from __future__ import annotations

from aggregator.lean import told

with told("OPENBLAS_NUM_THREADS", "1"):
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["NDArray", "np"]
