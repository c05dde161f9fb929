"""Callers who prove themselves by tokens of an issuer, whose keys the daemon fetches over https by itself."""

from __future__ import annotations

import datetime as dt
import http.server
import ipaddress
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from tests.auth.signing import KEY, OTHER, jwks, private, token
from tests.end_to_end.daemon import Daemon, records

PATIENCE = 30.0


def certificate(folder: Path) -> Path:
    """Write a key and a certificate for 127.0.0.1 into one file."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "issuer")])
    key, now = private("rsa", KEY), dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + dt.timedelta(days=1))
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    signed = builder.add_extension(names, critical=False).sign(key, hashes.SHA256())
    path = folder / "issuer.pem"
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(secret + signed.public_bytes(pem))
    return path


@contextmanager
def issuer(pem: Path) -> Iterator[str]:
    """Serve a key set over https; yield its URL."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            document = jwks(KEY)
            self.send_response(200)
            self.send_header("Content-Length", str(len(document)))
            self.end_headers()
            self.wfile.write(document)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_address[1]}/jwks"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def called(daemon: Daemon, key: bytes, **claims: object) -> int:
    now = int(time.time())
    said = {
        "iss": "https://issuer.example",
        "aud": "https://hooks.example",
        "exp": now + 60,
        "job": "release",
        **claims,
    }
    headers = {"authorization": f"Bearer {token(said, key)}", "content-type": "application/json"}
    return httpx.post(daemon.url("/hooks/in"), content=b"{}", headers=headers, trust_env=False, timeout=30).status_code


def test_a_token_is_accepted_once_the_keys_of_its_issuer_are_there(tmp_path: Path, daemon: Daemon) -> None:
    pem = certificate(tmp_path)
    with issuer(pem) as url:
        daemon.write(
            {
                "in.toml": f"""
version = 1
[webhooks.in]
auth.type = "jwt"
auth.issuers = "https://issuer.example"
auth.audience = "https://hooks.example"
auth.claims.job = "release"
auth.jwks_url = "{url}"
"""
            }
        )
        daemon.variables["SSL_CERT_FILE"] = str(pem)
        daemon.start()
        statuses: list[int] = []
        end = time.monotonic() + PATIENCE
        while 202 not in statuses and time.monotonic() < end:
            statuses.append(called(daemon, KEY))

        assert set(statuses) <= {503, 202}
        assert statuses[-1] == 202
        assert called(daemon, KEY, job="other") == 401
        assert called(daemon, KEY, aud="https://other.example") == 401
        assert called(daemon, OTHER) == 401  # asked again at most once a minute
        refused: set[str] = set()
        while not refused >= {"bad_claim", "bad_audience", "unknown_key"} and time.monotonic() < end:
            refused = {record["reason"] for record in records(daemon.log_dir) if record["type"] == "request.refused"}
            time.sleep(0.1)

    accepted = [record for record in records(daemon.log_dir) if record["type"] == "event.accepted"]
    assert [record["event"]["key"] for record in accepted] == [0]
    assert refused - {"keys_unavailable"} == {"bad_claim", "bad_audience", "unknown_key"}
