"""A driver that keeps the contract is told so, and each fault is found by the check that is for it."""

import pytest

from grpc_interop.check_driver import CHECKS, checks, options
from grpc_interop.check_driver.not_kept import NotKept

BY_NAME = {check.name: check for check in CHECKS}

NOT_OFFERED = {"distinguishes_cancel", "application", "compression:deflate", "keepalive", "service_config", "tls"}
"""What the reference driver leaves out."""

FAULTS = {
    "dies_at_start": ("connects", "exited with status 3 before it connected; its last words:\nno such library"),
    "speaks_another_version": ("says Hello", "speaks version 2 of the contract; this harness speaks 1"),
    "says_garbage": ("says Hello", "sent 16 bytes that are not an Event"),
    "sends_a_huge_frame": ("says Hello", "sent a frame of 2,097,152 bytes"),
    "exits": ("plays a unary call", "exited with status 7"),
    "hangs": ("plays a unary call", "the call did not reach the server"),
    "never_reports": ("parks calls", "did not answer command"),
    "stops_reading": ("parks calls", "did not answer command"),
    "reports_twice": ("ends a frozen play", "answered a second Abort with a transcript; expected no answer"),
    "drops_the_last_message": ("plays a server stream", "the client saw the end after"),
    "answers_before_the_end": ("plays a client stream", "the server saw the end after 1 of 10 messages"),
    "buffers": ("plays both ways", "the client did not receive message 1 of 10 and still waits for it"),
    "swaps_two_messages": ("plays a server stream", "messages in another order"),
    "changes_a_trailer": ("carries trailers with an error", "another value of the trailing metadata x-interop-one"),
    "ends_with_another_code": ("carries every code", "the client's status is INTERNAL instead of"),
    "tells_no_times": ("tells when steps were done", "the client did 4 steps and reported the times of 0"),
    "hides_deadlines_of_years": ("tells the deadline", "the server saw no deadline"),
    "hides_the_deadline": ("tells the deadline", "the server saw no deadline"),
    "claims_keepalive": ("notices a silent peer", "KIND_UNSUPPORTED"),
    "loses_empty_values": ("carries request metadata", "the server did not get the request metadata x-interop-empty"),
    "reports_no_other_keys": ("reports other metadata", "the server did not get the request metadata authorization"),
    "reports_keys_unasked": ("reports other metadata", "the server reported traceparent, which it was not asked for"),
    "awaits_no_headers": ("waits for the initial metadata", "answered a call whose server has sent no initial metadata with a signal"),
    "enforces_no_deadline": ("keeps the deadline by itself", "a call with 1 s to a server that never answers had not ended 5 s later"),
    "cancel_half_closes": ("cancels without a half-close", "the server saw the client half-close when it cancelled"),
    "awaits_no_signals": ("waits for signals", "answered a call in which a side waits for a signal with a transcript; expected no answer"),
    "takes_keepalive_and_does_nothing": ("notices a silent peer", "the server did not notice within 1 s"),
    "takes_service_configs_and_does_nothing": ("obeys a service config", "did not answer command"),
    "ends_before_the_service_config_says": ("obeys a service config", "in its service config the call ended after 1."),
    "leaves_no_time_with_service_configs": ("obeys a service config", "a call that is answered at once ended with status 4"),
    "joins_metadata": ("carries request metadata", "another value of the request metadata x-interop-one"),
    "joins_metadata_backwards": ("carries request metadata", "another value of the request metadata x-interop-one"),
    "joins_metadata_but_the_last": ("carries trailers with OK", "another value of the trailing metadata x-interop-one"),
    "leaves_a_child_behind": ("plays a unary call", "exited with status 7"),
}


def test_a_driver_that_keeps_the_contract_is_told_so(reference, tmp_path):
    results = list(checks(reference(), tmp_path))
    assert [(result.name, result.text) for result in results if result.kept is False] == []
    assert [result.number for result in results] == list(range(1, len(CHECKS) + 1))
    not_asked = {result.text.removeprefix("not asked, since Hello does not offer ") for result in results if result.kept is None}
    assert not_asked == NOT_OFFERED


@pytest.mark.parametrize("name", [name for name in BY_NAME if name.startswith("carries") and "metadata" in BY_NAME[name].needs])
def test_metadata_that_a_runtime_is_said_to_join_is_taken_apart(bench, name):
    BY_NAME[name].find_out(bench(fault="joins_metadata_and_says_so"))


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_is_found_by_the_check_that_is_for_it(bench, fault, monkeypatch):
    monkeypatch.setattr(options, "NOTICED_SECONDS", 1.0)
    name, words = FAULTS[fault]
    with pytest.raises(NotKept) as found:
        BY_NAME[name].find_out(bench(fault=fault))
    assert words in str(found.value)
