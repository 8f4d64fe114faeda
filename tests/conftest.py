import os

from browser import browser as browser  # the fixture, for every test module

if "PYTEST_XDIST_WORKER" in os.environ:  # one of several processes, which have the cores among them
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # read when NumPy is imported
