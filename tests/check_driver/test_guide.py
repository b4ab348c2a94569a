"""What docs/driver-contract.md shows is true: its frames, and the checks that it names."""

import re
from pathlib import Path

import pytest
from google.protobuf import text_format

from grpc_interop.check_driver import CHECKS
from grpc_interop.check_driver.opening import KNOWN_CAPABILITIES
from grpc_interop.drivers import driver_pb2 as pb
from grpc_interop.drivers.connection import MAX_FRAME, PART, frame
from grpc_interop.drivers.driver import CONTRACT

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "driver-contract.md").read_text(encoding="utf-8")
PROTO = (ROOT / "proto/interop/driver/v1/driver.proto").read_text(encoding="utf-8")

FRAMES = re.findall(r"```frame (Command|Event)\n(.*?)```\n```text\n(.*?)```", GUIDE, re.DOTALL)


def test_frames_are_shown():
    assert len(FRAMES) == 5


@pytest.mark.parametrize(("kind", "shown", "text"), FRAMES, ids=[text.strip()[:20] for _, _, text in FRAMES])
def test_frame_is_what_its_text_says(kind, shown, text):
    message = text_format.Parse(text, getattr(pb, kind)())
    assert bytes.fromhex(shown) == frame(message.SerializeToString(deterministic=True))


def test_guide_names_every_check_in_its_section():
    """Each section ends with its checks; a new check belongs into the guide."""
    sections = dict(re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", GUIDE, re.DOTALL | re.MULTILINE))
    for number, check in enumerate(CHECKS, 1):
        assert f"- check-driver {number}: {check.name}\n" in sections[check.section]
    assert len(re.findall(r"^- check-driver \d+:", GUIDE, re.MULTILINE)) == len(CHECKS)


def test_guide_and_proto_name_the_same_capabilities():
    listed = re.search(r"Known names: (.*?)\n  repeated string capabilities", PROTO, re.DOTALL)
    assert listed is not None
    words = re.sub(r"\(.*?\)", "", listed[1].replace("\n  //", ""), flags=re.DOTALL)
    assert {name.strip() for name in words.strip().rstrip(".").split(",")} == KNOWN_CAPABILITIES
    assert {name for name in KNOWN_CAPABILITIES if f"`{name}`" not in GUIDE} == set()


def test_figures_of_the_guide_are_those_of_the_harness():
    assert f"at most {MAX_FRAME:,}" in GUIDE
    assert f"at most\n{PART:,} bytes" in GUIDE
    assert f"version of the contract ({CONTRACT})" in GUIDE.replace("\n", " ")
