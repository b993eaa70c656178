"""The programme's own numbers in the admin: read by everyone there, kept by programme managers."""

from portal.programme.admin import policy, rates  # noqa: F401  they register themselves
