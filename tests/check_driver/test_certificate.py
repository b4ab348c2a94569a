"""The certificate that checks of TLS are made with is one."""

import ssl
import time

import pytest

from grpc_interop.check_driver.certificate import VALID_SECONDS, make_certificate


@pytest.fixture(scope="module")
def certificate():
    return make_certificate()


def test_key_belongs_to_it_and_it_is_its_own_root(certificate, tmp_path):
    """A TLS handshake over memory, checked by OpenSSL, with the host's address verified."""
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    chain.write_bytes(certificate.chain)
    key.write_bytes(certificate.key)
    serving, dialling = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context(cafile=str(chain))
    serving.load_cert_chain(chain, key)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = serving.wrap_bio(to_server, to_client, server_side=True)
    client = dialling.wrap_bio(to_client, to_server, server_hostname="127.0.0.1")
    for side in (client, server, client, server):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    found = client.getpeercert()
    assert found is not None
    assert found["subjectAltName"] == (("DNS", "localhost"), ("IP Address", "127.0.0.1"))
    assert ssl.cert_time_to_seconds(str(found["notBefore"])) < time.time() < ssl.cert_time_to_seconds(str(found["notAfter"]))
    assert VALID_SECONDS < 7 * 24 * 3600


def test_each_is_another(certificate):
    assert make_certificate().key != certificate.key
