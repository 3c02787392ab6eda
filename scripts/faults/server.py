#!/usr/bin/env python3
"""S3 servers on loopback for the tools in this folder: what starts them, and buckets in them. Not a program."""
import contextlib
import os
import socket
import subprocess
import time
from pathlib import Path

from bucket import Bucket

ROOT = Path(__file__).resolve().parent.parent.parent
KEYS = ("torturekey", "torturesecret")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def find(program):
    """One of the programs that `scripts/servers` installs, which does so if need be."""
    path = ROOT / ".build/servers/bin" / program
    if not path.exists():
        subprocess.run([ROOT / "scripts/servers", "true"], check=True)
    return path


class Server:
    """One running server. `kind` is `rclone`, `moto` or `ceph`."""

    def __init__(self, kind, folder):
        self.kind, self.folder, self.keys = kind, Path(folder), KEYS
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.log = open(self.folder / f"{kind}.log", "ab")
        self.process = None
        getattr(self, f"start_{kind}")()
        self.wait()

    def start_rclone(self):
        root = self.folder / "rclone"
        root.mkdir()
        # No cache of directories: what is changed behind the server's back must be seen.
        self.process = subprocess.Popen(
            [find("rclone"), "serve", "s3", "--addr", f"127.0.0.1:{self.port}", "--auth-key", ",".join(KEYS),
             "--vfs-cache-mode", "off", "--dir-cache-time", "0", "--poll-interval", "0", "--config", "/dev/null", str(root)],
            stdout=self.log, stderr=self.log)

    def start_moto(self):
        self.process = subprocess.Popen([find("moto_server"), "-H", "127.0.0.1", "-p", str(self.port)],
                                        stdout=self.log, stderr=self.log)

    def start_ceph(self):
        self.ceph("start")

    def ceph(self, verb):
        script = Path(__file__).resolve().parent / "ceph"
        subprocess.run([script, verb], check=True, stdout=self.log, stderr=self.log, env=dict(
            os.environ, CEPH_FOLDER=str(self.folder / "ceph"), CEPH_PORT=str(self.port),
            CEPH_ACCESS_KEY=KEYS[0], CEPH_SECRET_KEY=KEYS[1]))

    def wait(self):
        for _ in range(300):
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), 0.2).close()
                return
            if self.process and self.process.poll() is not None:
                break
            time.sleep(0.1)
        raise SystemExit(f"{self.kind} did not start; see {self.log.name}")

    def bucket(self, name):
        bucket = Bucket(self.endpoint, name, self.keys)
        bucket.make()
        return bucket

    def stop(self):
        if self.kind == "ceph":
            self.ceph("stop")
        elif self.process:
            self.process.terminate()
            self.process.wait(10)
        self.log.close()
