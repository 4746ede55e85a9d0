"""A real S3 server for tests: SeaweedFS on free ports of 127.0.0.1, with one private bucket."""

import json
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tests.ports import free_port

START_MAX_S = 90.0
POLL_S = 0.05
DOMAIN = "weed.localhost"
"""A bucket is also found as BUCKET.DOMAIN, where a name leads to 127.0.0.1."""

PARTS = ("master", "volume", "filer", "s3")


@dataclass(frozen=True)
class SeaweedS3:
    """How to reach the server, and its process for who wants to stop it early."""

    endpoint: str
    access_key: str
    secret_key: str
    bucket: str
    process: subprocess.Popen[bytes]

    def url(self, prefix: str = "") -> str:
        """The bucket as `open_store` takes it."""
        return f"s3://{self.bucket}/{prefix}?endpoint={self.endpoint}&region=us-east-1"

    def stop(self) -> None:
        """Kill the server, since a graceful end takes it 25 s; fine when it is stopped."""
        self.process.kill()
        self.process.wait()


@contextmanager
def seaweed(folder: Path) -> Iterator[SeaweedS3]:
    """Run a server that keeps its data in `folder`, which is made; ready when a PUT and a GET have succeeded."""
    data = folder / "data"
    data.mkdir(parents=True)
    access_key, secret_key = secrets.token_hex(10), secrets.token_hex(20)
    config = folder / "s3.json"
    config.write_text(json.dumps(_identity(access_key, secret_key)))
    ports = [free_port() for _ in range(2 * len(PARTS))]
    with (folder / "weed.log").open("wb") as log:
        process = subprocess.Popen(_command(data, config, ports), stdout=log, stderr=log, cwd=folder)
    endpoint = f"http://127.0.0.1:{ports[PARTS.index('s3')]}"
    server = SeaweedS3(endpoint, access_key, secret_key, "bubbles-test", process)
    try:
        _wait(server, folder / "weed.log")
        yield server
    finally:
        server.stop()
        _remove_sockets(ports)


def _remove_sockets(ports: list[int]) -> None:
    """The server leaves them in /tmp, wherever its data lies."""
    for part in PARTS:
        for port in ports:
            for name in (f"seaweedfs-{part}-{port}.sock", f"seaweedfs-{part}-grpc-{port}.sock"):
                Path("/tmp", name).unlink(missing_ok=True)  # noqa: S108 - the server's choice


def _identity(access_key: str, secret_key: str) -> dict[str, object]:
    credentials = [{"accessKey": access_key, "secretKey": secret_key}]
    return {"identities": [{"name": "bubbles", "credentials": credentials, "actions": ["Admin", "Read", "Write"]}]}


def _command(data: Path, config: Path, ports: list[int]) -> list[str]:
    plain, grpc = ports[: len(PARTS)], ports[len(PARTS) :]
    return [
        str(Path(sys.executable).parent / "weed"),
        "server",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        f"-dir={data}",
        "-s3",
        f"-s3.config={config}",
        f"-s3.domainName={DOMAIN}",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-master.volumeSizeLimitMB=64",
        "-volume.max=20",
        *(f"-{part}.port={port}" for part, port in zip(PARTS, plain, strict=True)),
        *(f"-{part}.port.grpc={port}" for part, port in zip(PARTS, grpc, strict=True)),
    ]


def _wait(server: SeaweedS3, log: Path) -> None:
    client = boto3.session.Session().client(
        "s3",
        endpoint_url=server.endpoint,
        region_name="us-east-1",
        aws_access_key_id=server.access_key,
        aws_secret_access_key=server.secret_key,
        config=Config(
            s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=10
        ),
    )
    deadline_s = time.monotonic() + START_MAX_S
    while True:
        try:
            with suppress(client.exceptions.BucketAlreadyOwnedByYou, client.exceptions.BucketAlreadyExists):
                client.create_bucket(Bucket=server.bucket)
            client.put_object(Bucket=server.bucket, Key="ready", Body=b"yes")
            assert client.get_object(Bucket=server.bucket, Key="ready")["Body"].read() == b"yes"
            client.delete_object(Bucket=server.bucket, Key="ready")
            return
        except (BotoCoreError, ClientError) as error:
            if server.process.poll() is not None or time.monotonic() > deadline_s:
                raise RuntimeError(f"SeaweedFS does not start: {log.read_text()[-4000:]}") from error
            time.sleep(POLL_S)
