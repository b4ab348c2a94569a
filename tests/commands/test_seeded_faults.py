"""A driver with one fault in a whole run: the cells of its servers turn red, in the cases that look for it, in the right
words, and nothing else does."""

import json
from pathlib import Path

import pytest

from project import MakeImplementation, Project, results

CASES = "SayHello/one or GetStream/ten or PutStream/ten or AllStream/all_in or GetStream/metadata_on_error or AllStream/deadline"

TEN, THOUSAND = "AllStream/all_in_then_all_out_10", "AllStream/all_in_then_all_out_1000"
NO_REPLY = "the RPC ended with INTERNAL at the client after 0 of 1 messages"
NOTHING = "the client saw the end after 0 of 1 messages"
ANOTHER_ORDER = "the client received the server's messages in another order, from message 1 on"
ANOTHER_STATUS = "the client's status is INTERNAL instead of OK"
NO_DEADLINE = "the server saw no deadline"

FAULTS = {
    "drops_the_last_message": {
        "SayHello/one": NO_REPLY,
        "GetStream/ten": "the client saw the end after 9 of 10 messages",
        "PutStream/ten": NO_REPLY,
        TEN: "the client saw the end after 9 of 10 messages",
        THOUSAND: "the client saw the end after 999 of 1000 messages",
        "GetStream/metadata_on_error": NOTHING,
        "AllStream/deadline": NOTHING,
        "AllStream/deadline_in_time": "the client saw the end after 2 of 3 messages",
    },
    "answers_before_the_end": {
        "PutStream/ten": "the server saw the end after 1 of 10 messages",
        TEN: "the server saw the end after 1 of 10 messages",
        THOUSAND: "the server saw the end after 1 of 1000 messages",
        "AllStream/deadline_in_time": "the server saw the end after 1 of 3 messages",
    },
    "buffers": {"AllStream/deadline": NOTHING},
    "swaps_two_messages": {
        **dict.fromkeys(["GetStream/ten", TEN, THOUSAND, "AllStream/deadline_in_time"], ANOTHER_ORDER),
        # It waits for a second message to be swapped with the only one.
        "AllStream/deadline": NOTHING,
    },
    "changes_a_trailer": {"GetStream/metadata_on_error": "the client got another value of the trailing metadata x-interop-from"},
    "ends_with_another_code": {
        "SayHello/one": NO_REPLY,
        "GetStream/ten": ANOTHER_STATUS,
        "PutStream/ten": NO_REPLY,
        TEN: ANOTHER_STATUS,
        THOUSAND: ANOTHER_STATUS,
        "AllStream/deadline_in_time": ANOTHER_STATUS,
        "GetStream/metadata_on_error": "the client's status is INTERNAL instead of FAILED_PRECONDITION",
    },
    "hides_the_deadline": {"AllStream/deadline": NO_DEADLINE, "AllStream/deadline_in_time": NO_DEADLINE},
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_turns_the_right_cells_red(project: Project, reference: MakeImplementation, report: Path, fault: str) -> None:
    """
    In every pair with a server of the faulty driver the same cases fail, for what is wrong with it; its clients, which
    have no fault, pass with any other server.
    """
    chosen = ["--suite", "calls", "-k", CASES]
    ended = project.interop("run", "--implementation", reference("wrong", fault), *chosen, "--report", report)
    failed: dict[str, dict[str, str]] = {}
    for line in (report / "cases.jsonl").read_text().splitlines():
        case = json.loads(line)
        if case["outcome"] != "passed":
            name = f"{case['method'].rpartition('/')[2]}/{case['id'].split('/')[-1].partition('[')[0]}"
            failed.setdefault(f"{case['client']}:{case['server']}", {})[name] = case["difference"]["what"]
    assert failed == {"py:wrong": FAULTS[fault], "wrong:wrong": FAULTS[fault]}
    assert ended.status == 1
    assert "all with server wrong" in ended.out
    red = {(cell["client"], cell["server"]) for cell in results(report)["cells"] if cell["failed"]}
    assert red == {("py", "wrong"), ("wrong", "wrong")}
