"""How examples are drawn, in the tests of the core and of every plugin."""

import os

from hypothesis import settings

# A check of a change sees the same examples each time; on a desk every run tries new ones.
settings.register_profile("zoo", deadline=None, derandomize=os.environ.get("CI") == "true")
settings.load_profile("zoo")
