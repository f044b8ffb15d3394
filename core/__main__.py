"""`python -m core`: the command line."""

import os
import sys

# Threads that wait by spinning slow each other down five- to seventy-fold when two processes share the cores. This must
# be set before the first import of torch; whoever wants spinning threads on an idle machine sets the variable himself.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from core.cli import main

if __name__ == "__main__":
    sys.exit(main())
