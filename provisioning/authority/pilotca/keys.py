"""The authority's own keys: P-256, on disk only in encrypted form."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from agent.durable import put_whole
from pilotca.errors import Refused
from pilotca.files import read_bounded

if TYPE_CHECKING:
    from pathlib import Path


def new_key(path: Path, passphrase: bytes) -> ec.EllipticCurvePrivateKey:
    """Make a key and put it there, encrypted.

    OpenSSL encrypts it: with scrypt a guess costs 16 MB and 50 ms, while cryptography's own PKCS #8 has PBKDF2 with
    2,048 rounds, 1 ms. `openssl pkey` reads the file, should this program be gone.

    Raises:
        Refused: the machine's openssl does not do it.
        OSError: it cannot be written.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    der = key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    reads, writes = os.pipe()
    try:
        with os.fdopen(writes, "wb") as pipe:
            pipe.write(passphrase + b"\n")  # less than a pipe holds
        command = ["openssl", "pkcs8", "-topk8", "-inform", "DER", "-v2", "aes-256-cbc", "-scrypt"]
        # The default configuration: somebody's own might send keys elsewhere.
        done = subprocess.run(
            [*command, "-passout", f"fd:{reads}"],
            input=der,
            capture_output=True,
            pass_fds=(reads,),
            check=False,
            env={"PATH": os.environ.get("PATH", os.defpath), "OPENSSL_CONF": os.devnull},
        )
    except FileNotFoundError as error:
        msg = "openssl is not installed on this machine: install the package openssl"
        raise Refused(msg) from error
    finally:
        os.close(reads)
    if done.returncode or not done.stdout.startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----"):
        msg = f"openssl did not encrypt the key: {done.stderr.decode(errors='replace').strip().splitlines()[:1]}"
        raise Refused(msg)
    put_whole(path, done.stdout)
    return key


def open_key(path: Path, passphrase: bytes) -> ec.EllipticCurvePrivateKey:
    """The key of this file.

    Raises:
        Refused: the passphrase is wrong, or it is none of our keys.
    """
    try:
        key = serialization.load_pem_private_key(read_bounded(path), passphrase)
    except TypeError as error:
        msg = f"{path} is not encrypted: this program never writes such a key, so do not trust it"
        raise Refused(msg) from error
    except ValueError as error:
        if isinstance(error, Refused):
            raise
        msg = f"{path} cannot be opened: the passphrase is wrong, or the file is damaged"
        raise Refused(msg) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        msg = f"{path} is no elliptic curve key"
        raise Refused(msg)
    return key
