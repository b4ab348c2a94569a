"""The pytest side: the session of a pytest process, and how xdist shares out tests."""
