"""What pip says when it fails comes down to its cause."""

import importlib.util
from pathlib import Path

import pytest

_SPEC = importlib.util.spec_from_file_location("pip_words", Path(__file__).parents[2] / "py_impl" / "pip_words.py")
assert _SPEC is not None and _SPEC.loader is not None
pip_words = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(pip_words)

NO_SUCH_VERSION = """\
ERROR: Could not find a version that satisfies the requirement grpcio==9.9.9 (from versions: 1.0.0, 1.84.2, 1.85.3)
ERROR: No matching distribution found for grpcio==9.9.9
"""

CONFLICT = """\
Collecting protobuf==4.25.3
  Downloading protobuf-4.25.3-cp37-abi3-manylinux2014_x86_64.whl (294 kB)
INFO: pip is looking at multiple versions of grpcio-tools to determine which version is compatible with other requirements.
ERROR: Cannot install grpcio-tools==1.73.0 and protobuf==4.25.3 because these package versions have conflicting dependencies.

The conflict is caused by:
    The user requested protobuf==4.25.3
    grpcio-tools 1.73.0 depends on protobuf<7.0.0 and >=6.30.0

To fix this you could try to:
1. loosen the range of package versions you've specified
2. remove package versions to allow pip attempt to solve the dependency conflict

ERROR: ResolutionImpossible: for help visit https://pip.pypa.io/en/latest/topics/dependency-resolution/
"""

NO_INDEX = """\
WARNING: Retrying (Retry(total=1)) after connection broken by 'NewConnectionError('<HTTPConnection object at 0x7f>: \
Failed to establish a new connection: [Errno 111] Connection refused')': /simple/grpcio/
WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError('<HTTPConnection object at 0x8f>: \
Failed to establish a new connection: [Errno 111] Connection refused')': /simple/grpcio/
ERROR: Could not find a version that satisfies the requirement grpcio==1.70.0 (from versions: none)
ERROR: No matching distribution found for grpcio==1.70.0
"""

NO_BUILD = """\
Collecting grpcio-tools==1.30.0
  Downloading grpcio-tools-1.30.0.tar.gz (2.1 MB)
  error: subprocess-exited-with-error

  Getting requirements to build wheel did not run successfully.
  exit code: 1
      Traceback (most recent call last):
        File "<string>", line 21, in <module>
      ModuleNotFoundError: No module named 'pkg_resources'
      [end of output]

  note: This error originates from a subprocess, and is likely not a problem with pip.
error: subprocess-exited-with-error
"""


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        (
            NO_SUCH_VERSION,
            "Could not find a version that satisfies the requirement grpcio==9.9.9 (the newest is 1.85.3)",
        ),
        (CONFLICT, "The user requested protobuf==4.25.3; grpcio-tools 1.73.0 depends on protobuf<7.0.0 and >=6.30.0"),
        (
            NO_INDEX,
            (
                "no answer from the package index: [Errno 111] Connection refused; "
                "Could not find a version that satisfies the requirement grpcio==1.70.0 (from versions: none)"
            ),
        ),
        (NO_BUILD, "grpcio-tools==1.30.0 cannot be built here: ModuleNotFoundError: No module named 'pkg_resources'"),
        (
            "ERROR: Invalid requirement: 'bad line here' (from line 1 of bad.txt)\n",
            "Invalid requirement: 'bad line here' (from line 1 of bad.txt)",
        ),
        ("Killed\n", "Killed"),
    ],
)
def test_the_cause_is_told_in_one_line(words: str, cause: str) -> None:
    assert pip_words.cause(words) == cause
