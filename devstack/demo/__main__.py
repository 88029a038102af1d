"""`python -m devstack.demo`, deaf to Ctrl-C only until the line below."""

import sys

from devstack.demo.interruption import Interruption

if __name__ == "__main__":
    interruption = Interruption()
    # Imported late: loading takes long enough for somebody to change their mind.
    from devstack.demo.run import main

    sys.exit(main(interruption))
