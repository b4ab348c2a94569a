"""What is said of protos that protoc refuses."""

from pathlib import Path

import pytest

from grpc_interop.schema.compiler import compile_tree
from grpc_interop.schema.refusal import MOST_ERRORS
from grpc_interop.schema.roots.roots import ProtoError


def refused(tmp_path: Path, files: dict[str, str], root: str = "root", include: str = "") -> ProtoError:
    """The error for a tree of these files, of which those below `root` are compiled."""
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    with pytest.raises(ProtoError) as raised:
        compile_tree([tmp_path / root], [tmp_path / include] if include else [], tmp_path / "cache")
    return raised.value


def test_errors_are_shown_and_warnings_are_not(tmp_path: Path) -> None:
    """
    protoc warns of unused imports and of files without a syntax, and says so first.
    """
    error = refused(
        tmp_path,
        {
            "root/a.proto": "message A {}",
            "root/b.proto": 'syntax = "proto3"; import "a.proto"; message B {}',
            "root/c.proto": 'syntax = "proto3";\nmessage C { int32 c = 0; }',
        },
    )
    first = error.what.splitlines()[1]
    assert first == f"{tmp_path}/root/c.proto:2:23: Field numbers must be positive integers."
    assert "warning" not in error.what and "syntax specified" not in error.what


def test_what_others_follow_from_comes_first(tmp_path: Path) -> None:
    """
    A file that is wrong makes an error of each use of what it defines; so many are shown, and the rest is counted.
    """
    uses = "".join(f" B b{number} = {number};" for number in range(1, 101))
    error = refused(
        tmp_path,
        {
            "root/a.proto": f'syntax = "proto3"; import "broken.proto"; import "wrong.proto"; message A {{{uses} }}',
            "root/broken.proto": 'syntax = "proto3"; import "very.proto"; message B { Very very = 1; }',
            "root/very.proto": 'syntax = "proto3"; message Very { int32 b = 1 }',
            "root/wrong.proto": 'syntax = "proto3"; message C { int32 c = 0; }',
        },
    )
    lines = error.what.splitlines()[1:]
    assert {line.partition(":")[0].rpartition("/")[2] for line in lines[:2]} == {"very.proto", "wrong.proto"}
    assert len(lines) == MOST_ERRORS + 1
    assert lines[-1].endswith("more, most of which may follow from these")
    assert "`excludes`" in error.remedy


@pytest.mark.parametrize(
    ("file", "imported", "options"),
    [
        ("root/api/deep/rpc.proto", "rpc.proto", ["--proto-path {}/root/api/deep in place of {}/root", 'excludes = ["api/deep/*"]']),
        ("root/api/deep/rpc.proto", "deep/rpc.proto", ["--proto-path {}/root/api in place of {}/root", 'excludes = ["api/*"]']),
        ("root/rpc.proto", "root/rpc.proto", ["--proto-path {} in place of {}/root"]),
        ("third/party/rpc.proto", "rpc.proto", ["--include {}/third/party"]),
    ],
)
def test_a_missing_import_that_lies_elsewhere_is_told_with_the_option(tmp_path: Path, file: str, imported: str, options: list[str]) -> None:
    """
    Of the roots and the includes; a name of which that of the file is only a part is another one.
    """
    rpc, user = 'syntax = "proto3";', f'syntax = "proto3"; import "{imported}";'
    files = {file: rpc, "root/user.proto": user, "root/other/xrpc.proto": rpc, "third/unused.proto": rpc}
    said = refused(tmp_path, files, include="third").remedy

    assert [option for option in options if option.format(tmp_path, tmp_path) not in said] == []
    assert f"{tmp_path / file} would be {imported} with" in said
    assert "xrpc.proto" not in said


def test_a_missing_import_that_lies_nowhere_is_not_sought_for_long(tmp_path: Path) -> None:
    """
    Many missing ones are counted.
    """
    imports = "".join(f'import "missing/m{number}.proto";' for number in range(10))
    said = refused(tmp_path, {"root/user.proto": f'syntax = "proto3"; {imports}'}).remedy
    assert "missing/m4.proto and 5 more: looked for in" in said
    assert "would be" not in said


def test_an_import_that_no_root_can_hold_is_told_without_an_option_that_would_be_refused(tmp_path: Path) -> None:
    error = refused(tmp_path, {"root/a.proto": 'syntax = "proto3"; import "/b/b.proto";', "root/b/b.proto": 'syntax = "proto3";'})
    assert "/b/b.proto: no import can begin like this" in error.remedy
    assert "--proto-path" not in error.remedy
