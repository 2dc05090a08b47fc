"""Prints every transition of every story: the same bytes whatever the order of Python's sets."""

from __future__ import annotations

import sys

from tests.stories.test_in_memory import STORIES, said_by_step


def main() -> None:
    """One transition a line on standard output."""
    for story in STORIES:
        for spoken in said_by_step(story):
            for transition in spoken:
                sys.stdout.write(transition.to_json().decode() + "\n")


if __name__ == "__main__":
    main()
