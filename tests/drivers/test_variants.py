"""An implementation again, with settings of a project's own: the harness hands them over and knows no more of them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from grpc_interop.config import Project, find_project
from grpc_interop.drivers.build import Builder, Protos
from grpc_interop.errors import UsageError

Configure = Callable[..., Project]

MANIFEST = """
name = "base"
[build]
command = ["sh", "-c", 'cp "$0" kept.json; echo "{\\"driver\\": {\\"argv\\": [\\"x\\"]}}" > "$(dirname "$0")/answer.json"']
[settings]
words = "text"
lock = "file"
tool = "program"
"""


@pytest.fixture
def configure(tmp_path: Path) -> Configure:
    """A project with an implementation of its own, `base`, and with what is given added to its file."""
    (tmp_path / "base").mkdir()
    (tmp_path / "base/interop.toml").write_text(MANIFEST)
    (tmp_path / "lock.txt").write_text("one")

    def configure(added: str = "", name: str = "other", source: str = "base") -> Project:
        text = f'implementations = ["base", "{name}"]\n[[implementation]]\nname = "{name}"\nfrom = "{source}"\n{added}'
        (tmp_path / "interop.toml").write_text(text)
        return find_project(tmp_path)

    return configure


def built_with(project: Project, name: str, protos: Protos) -> tuple[dict[str, object], bool]:
    """The request with which the implementation's build was asked last, and whether it was asked now."""
    [manifest] = [manifest for manifest in project.implementations if manifest.name == name]
    contract = Path(__file__).parents[2] / "proto"
    built = Builder(project.state, contract).build(manifest, protos)
    request: dict[str, object] = json.loads((manifest.folder / "kept.json").read_text())
    return request, built.fresh


PROTOS = Protos(b"", ())


def test_settings_are_handed_to_the_build(configure: Configure) -> None:
    """Files and programs with their place, texts as they are; the cache is that of the implementation it is made from."""
    project = configure('settings = { words = "a/b", lock = "lock.txt", tool = "bin/tool" }')
    request, _ = built_with(project, "other", PROTOS)

    folder = project.folder
    assert request["settings"] == {"words": "a/b", "lock": str(folder / "lock.txt"), "tool": str(folder / "bin/tool")}
    assert request["cache"] == str(project.state / "cache" / "base")
    assert built_with(project, "base", PROTOS)[0]["settings"] == {}


def test_a_program_without_a_folder_is_looked_up_on_path(configure: Configure) -> None:
    request, _ = built_with(configure('settings.tool = "tool"'), "other", PROTOS)
    assert request["settings"] == {"tool": "tool"}


def test_the_build_depends_on_what_a_setting_names(configure: Configure) -> None:
    project = configure('settings.lock = "lock.txt"')
    assert built_with(project, "other", PROTOS)[1]
    assert not built_with(project, "other", PROTOS)[1]
    (project.folder / "lock.txt").write_text("two")
    assert built_with(project, "other", PROTOS)[1]


@pytest.mark.parametrize(
    ("added", "words"),
    [
        ('settings.look = "lock.txt"', "did you mean `lock`"),
        ("settings.words = 3", "must be a text"),
        ('settings.lock = "gone.txt"', "there is no file"),
        ('setings.lock = "lock.txt"', "did you mean `settings`"),
    ],
)
def test_wrong_settings_are_refused(configure: Configure, added: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        configure(added)


def test_an_implementation_of_a_bundled_name_is_refused(configure: Configure) -> None:
    bundled = find_project(Path("/")).implementations[0].name
    with pytest.raises(UsageError, match="two implementations"):
        configure(name=bundled)


def test_an_implementation_of_nothing_is_refused(configure: Configure) -> None:
    with pytest.raises(UsageError, match="nowhere"):
        configure(source="nowhere")
