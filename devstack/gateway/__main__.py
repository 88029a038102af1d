"""`python -m devstack.gateway`: the simulator without Django."""

from argparse import ArgumentParser

from .server import add_arguments, run

if __name__ == "__main__":
    parser = ArgumentParser(prog="python -m devstack.gateway", description=__doc__)
    add_arguments(parser)
    run(parser.parse_args())
