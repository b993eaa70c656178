"""The portal with one more address, for bench/api.py: a bare view that is answered by the same processes."""

from portal.settings import *  # noqa: F403

ROOT_URLCONF = "bare.urls"
