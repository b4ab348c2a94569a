"""The layout of a repository that nobody has described, and what buf's files say of one."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from grpc_interop.errors import UsageError
from grpc_interop.protos import buf
from grpc_interop.protos.layout import Layout, find_layout


def write(repository: Path, files: dict[str, str]) -> None:
    """Files by their paths."""
    for name, content in files.items():
        path = repository / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


def proto(package: str = "", *imports: str) -> str:
    lines = ['syntax = "proto3";', f"package {package};" if package else "", *(f'import "{name}";' for name in imports)]
    return "\n".join(lines)


def where(layout: Layout) -> tuple[list[str], list[str], list[str]]:
    return layout.roots, layout.includes, layout.excludes


class TestFoundByContent:
    def test_a_package_whose_folders_are_its_name_begins_at_the_root(self, tmp_path: Path) -> None:
        write(tmp_path, {"api/acme/shop/v1/shop.proto": proto("acme.shop.v1")})
        assert where(find_layout(tmp_path)) == (["api"], [], [])

    def test_an_import_says_what_a_file_is_relative_to(self, tmp_path: Path) -> None:
        """Also where packages say nothing."""
        write(tmp_path, {"src/main/proto/a/x.proto": proto("p", "b/y.proto"), "src/main/proto/b/y.proto": proto("q", "a/x.proto")})
        assert where(find_layout(tmp_path)) == (["src/main/proto"], [], [])

    def test_an_import_means_the_nearest_of_several_files(self, tmp_path: Path) -> None:
        files = {f"{team}/{name}": text for team in "ab" for name, text in {"x.proto": proto("", "y.proto"), "y.proto": proto()}.items()}
        write(tmp_path, files)
        assert find_layout(tmp_path).roots == ["a", "b"]

    def test_a_comment_is_no_import(self, tmp_path: Path) -> None:
        write(tmp_path, {"x.proto": '// import "gone.proto";\n/* package p.q;\nimport "gone.proto"; */\n' + proto("p")})
        layout = find_layout(tmp_path)
        assert layout.roots == ["."]
        assert not any("gone" in sentence for sentence in layout.told)

    def test_other_peoples_protos_are_only_imported_from(self, tmp_path: Path) -> None:
        write(
            tmp_path,
            {
                "proto/shop/v1/shop.proto": proto("shop.v1", "lib/v1/lib.proto", "own/y.proto"),
                "third_party/lib/v1/lib.proto": proto("lib.v1"),
                "proto/inner/own/y.proto": proto("y"),
            },
        )
        assert where(find_layout(tmp_path)) == (["proto"], ["third_party", "proto/inner"], ["inner/*"])

    def test_what_git_ignores_is_left_out(self, tmp_path: Path) -> None:
        subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
        write(tmp_path, {".gitignore": "build/", "p/x.proto": proto("p"), "build/q/x.proto": proto("q"), ".hidden/r/x.proto": proto("r")})
        assert find_layout(tmp_path).roots == ["."]

    def test_an_import_that_is_nowhere_is_told(self, tmp_path: Path) -> None:
        write(tmp_path, {"p/x.proto": proto("p", "else/where.proto", "google/protobuf/any.proto", "google/rpc/status.proto")})
        assert [sentence for sentence in find_layout(tmp_path).told if "nowhere" in sentence] == [
            "p/x.proto imports else/where.proto, which is nowhere here: add its folder to `includes`"
        ]

    def test_no_proto_is_no_root(self, tmp_path: Path) -> None:
        assert find_layout(tmp_path).roots == []


class TestSaidByBuf:
    @pytest.mark.parametrize(
        ("files", "expected"),
        [
            ({"buf.yaml": "version: v2\n"}, (["."], [], [])),
            (
                {"buf.yaml": "version: v2\nmodules:\n  - path: proto\n    excludes: [proto/bad, proto/one.proto]\n  - path: more\n"},
                (["proto", "more"], [], ["bad/*", "one.proto"]),
            ),
            ({"buf.yaml": "version: v1\nbuild:\n  excludes:\n  - vendor\n"}, (["."], [], ["vendor/*"])),
            ({"proto/buf.yaml": "version: v1\n"}, (["proto"], [], [])),
            ({"buf.yaml": "version: v1beta1\nbuild: {roots: [a, b]}\n"}, (["a", "b"], [], [])),
            (
                {"buf.work.yaml": "version: v1\ndirectories:\n- a\n- b/c\n", "a/buf.yaml": "version: v1\nbuild:\n  excludes: [x/y]\n"},
                (["a", "b/c"], [], ["x/y/*"]),
            ),
        ],
    )
    def test_modules_are_roots(self, tmp_path: Path, files: dict[str, str], expected: tuple[list[str], ...]) -> None:
        write(tmp_path, files)
        layout = buf.read_layout(tmp_path)
        assert layout is not None
        assert where(layout) == expected

    def test_a_module_of_the_registry_is_told(self, tmp_path: Path) -> None:
        """The common google protos need no word: they are found by themselves."""
        write(tmp_path, {"buf.yaml": "version: v2\ndeps:\n- buf.build/googleapis/googleapis\n- buf.build/acme/x:v1\n"})
        layout = buf.read_layout(tmp_path)
        assert layout is not None
        [_, sentence] = layout.told
        assert sentence.startswith("buf.build/acme/x:v1: ")
        assert "--image" in sentence

    def test_no_file_says_nothing(self, tmp_path: Path) -> None:
        assert buf.read_layout(tmp_path) is None

    @pytest.mark.parametrize("content", ["a: [", "- a\n"])
    def test_a_file_that_is_none_is_refused(self, tmp_path: Path, content: str) -> None:
        write(tmp_path, {"buf.yaml": content})
        with pytest.raises(UsageError, match=r"buf\.yaml"):
            buf.read_layout(tmp_path)
