"""A real S3 server on loopback, for tests of object stores."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def s3():
    """The address of a bucket on it; credentials stand in the environment, where they belong."""
    server_of = pytest.importorskip("moto.server", reason="needs the extra `dev`")
    pytest.importorskip("s3fs", reason="needs the extra `s3`")
    import boto3

    with pytest.MonkeyPatch.context() as patch:
        server = server_of.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        host, port = server.get_host_and_port()
        for name, value in {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
            "AWS_ACCESS_KEY_ID": "who",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_DEFAULT_REGION": "us-east-1",
            "NO_PROXY": "127.0.0.1",
        }.items():
            patch.setenv(name, value)
        boto3.client("s3").create_bucket(Bucket="exchange")
        yield "s3://exchange"
        server.stop()
