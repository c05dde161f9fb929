"""Certificates for tests: an authority, and who it vouches for. Made by openssl, which every machine with TLS has."""

from __future__ import annotations

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

_KEY = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pem:
    certificate: Path
    key: Path


class Authority:
    """Vouches for names and addresses."""

    def __init__(self, where: Path, name: str = "authority") -> None:
        self._where = where
        self.own = self._files(name)
        # What Python 3.13 asks of certificates: RFC 5280 as it is written (VERIFY_X509_STRICT).
        usage = "-addext keyUsage=critical,keyCertSign,cRLSign"
        _openssl(f"req -x509 {_KEY} -subj /CN={name} {usage}", keyout=self.own.key, out=self.own.certificate)

    def vouch(self, name: str, alternative: str) -> Pem:
        """Return a certificate: `alternative` is like `DNS:hook.example` or `IP:127.0.0.1`."""
        pem = self._files(name)
        _openssl(
            f"req -x509 {_KEY} -subj /CN={name} -addext subjectAltName={alternative} -addext basicConstraints=CA:FALSE"
            " -addext authorityKeyIdentifier=keyid",
            keyout=pem.key, out=pem.certificate, CA=self.own.certificate, CAkey=self.own.key,
        )  # fmt: skip
        return pem

    def serving(self, pem: Pem, *, asks: bool = False) -> ssl.SSLContext:
        """Return what a server needs; one that asks lets in only those whom the authority vouches for."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(pem.certificate, pem.key)
        if asks:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.own.certificate)
        return context

    def trusting(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.own.certificate))

    def _files(self, name: str) -> Pem:
        return Pem(certificate=self._where / f"{name}.pem", key=self._where / f"{name}.key")


def _openssl(command: str, **files: Path) -> None:
    arguments = [text for name, path in files.items() for text in (f"-{name}", str(path))]
    try:
        subprocess.run(["openssl", *command.split(), *arguments], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
