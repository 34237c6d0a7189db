"""Explore interleavings: `make explore`, or `python -m exploration --help`."""

import argparse
import sys

from exploration.replay import aws
from exploration.scenes import SCENES
from exploration.search import Found, Search
from exploration.world import SETTINGS


def main(arguments: list[str]) -> int:
    """Explore every scene, print what was seen, and return 1 when an invariant was broken."""
    asked = _parser().parse_args(arguments)
    violations = 0
    print(f"{'from':24}{'states':>9}{'transitions':>13}{'depth':>7}{'seconds':>9}  violations")
    for name in asked.scene or SCENES:
        for kind, found in explored(name, asked):
            print(
                f"{name:24}{found.states:9,}{found.transitions:13,}{found.depth:7}"
                f"{found.seconds:9.1f}  {len(found.violations)} ({kind}{_left(found)})",
                flush=True,
            )
            for violation in found.violations.values():
                print(violation)
            violations += len(found.violations)
    return 1 if violations else 0


def _left(found: Found) -> str:
    return f"; {found.unfinished:,} not followed to their end" if found.unfinished else ""


def explored(name: str, asked: argparse.Namespace) -> list[tuple[str, Found]]:
    """Return what is found from a scene: in every order, in whole runs, at random."""
    scene = SCENES[name]
    with aws(SETTINGS | scene.settings):
        start = scene.start(asked.together)
        every = Search(start).all(asked.depth, asked.seconds)
        runs = Search(start).detours(asked.detours, asked.seconds)
        wider = scene.start(asked.together + 2)
        some = Search(wider).walks(asked.walks, 400, asked.seed, asked.seconds)
    return [
        ("every order", every),
        ("whole runs, by detours", runs),
        (f"random, seed {asked.seed}", some),
    ]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="exploration", description=__doc__)
    parser.add_argument("--depth", type=int, default=7, help="actions from the scene, all orders")
    parser.add_argument("--detours", type=int, default=1, help="from a run's usual course")
    parser.add_argument("--together", type=int, default=2, help="events and faults in one run")
    parser.add_argument("--walks", type=int, default=50, help="random ways from each scene")
    parser.add_argument("--seed", type=int, default=1, help="of the random ways")
    parser.add_argument("--seconds", type=float, default=20.0, help="limit for each of the three")
    parser.add_argument("--scene", action="append", choices=SCENES, help="this one, not all")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
