"""A registry of our own for pip on this machine, with wheels that hold a few files each; by HTTPS if asked for."""

import hashlib
import ssl
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


class Quiet(SimpleHTTPRequestHandler):
    """Files of a folder; nothing is told of them."""

    def log_message(self, *_: object) -> None:
        pass


def offer(folder: Path, name: str, files: Mapping[str, str]) -> str:
    """Puts version 1.0 of a package into a registry's folder; the line of a lock that pins it."""
    page = folder / "simple" / name.replace("_", "-")
    page.mkdir(parents=True)
    wheel = page / f"{name}-1.0-py3-none-any.whl"
    about = {
        "METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        "WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    with zipfile.ZipFile(wheel, "w") as zipped:
        for path, text in {**files, **{f"{name}-1.0.dist-info/{key}": told for key, told in about.items()}}.items():
            zipped.writestr(path, text)
        zipped.writestr(f"{name}-1.0.dist-info/RECORD", "".join(f"{path},,\n" for path in zipped.namelist()))
    (page / "index.html").write_text(f'<a href="{wheel.name}">{wheel.name}</a>')
    return f"{name}==1.0 --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"


@contextmanager
def serving(folder: Path, authority: Path | None = None) -> Iterator[str]:
    """The address of its index while it is served. With a file for it, by HTTPS with a certificate nobody knows."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        if authority:
            server.socket = _with_certificate(authority).wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"{'https' if authority else 'http'}://127.0.0.1:{server.server_port}/simple"
        server.shutdown()


def _with_certificate(file: Path) -> ssl.SSLContext:
    """One that signs itself, for 127.0.0.1, is written to `file`."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now, address = datetime.now(UTC), x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(address, critical=True)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    encoding, nobody = serialization.Encoding.PEM, serialization.NoEncryption()
    file.write_bytes(certificate.public_bytes(encoding))
    secret = file.with_suffix(".key")
    secret.write_bytes(key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, nobody))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, secret)
    return context
