"""The parts that build.py, generate.py and dev.py share: the Go toolchain, code generation, and the mapping to packages."""
