#!/usr/bin/env python3
"""A bucket of an S3 server, as the tools in this folder change it behind dv's back. Not a program."""
import http.client
import re
import time
import urllib.parse
import xml.etree.ElementTree as xml

from signature import sign


class Refused(Exception):
    """The server answered with something else than success."""

    def __init__(self, status, text):
        super().__init__(f"{status}: {text[:400]}")
        self.status = status


class Bucket:
    """Whole objects under keys. Every call is one request on a connection of its own. Servers for tests stumble over many calls at once: a 500 is tried again."""

    def __init__(self, endpoint, name, keys):
        """`endpoint` is `http://host:port`; `keys` are the access key and the secret."""
        self.host, self.name, self.keys = urllib.parse.urlsplit(endpoint).netloc, name, keys

    def request(self, *arguments, **options):
        for pause in (0.1, 0.5, 2):
            try:
                return self.once(*arguments, **options)
            except Refused as refused:
                if refused.status != 500:
                    raise
            time.sleep(pause)
        return self.once(*arguments, **options)

    def once(self, method, key="", query="", body=b"", accept=(200, 204, 206), headers=()):
        target = f"/{self.name}" + ("/" + urllib.parse.quote(key, safe="/-_.~") if key else "")
        if query:
            target += "?" + query
        signed = sign(method, target, {"host": self.host, **dict(headers)}, body, self.keys)
        connection = http.client.HTTPConnection(self.host, timeout=60)
        try:
            connection.request(method, target, body=body, headers=signed)
            response = connection.getresponse()
            data = response.read()
        finally:
            connection.close()
        if response.status not in accept:
            raise Refused(response.status, data.decode(errors="replace"))
        return response.status, data

    def make(self):
        """Makes the bucket, which may be there already."""
        self.request("PUT", accept=(200, 409))

    def list(self, prefix=""):
        """The keys under a prefix and their sizes."""
        found, token = {}, None
        while True:
            query = "list-type=2&prefix=" + urllib.parse.quote(prefix, safe="")
            if token:
                query = "continuation-token=" + urllib.parse.quote(token, safe="") + "&" + query
            _, data = self.request("GET", query=query)
            # Servers differ in whether they name the namespace.
            root = xml.fromstring(re.sub(rb'\sxmlns="[^"]*"', b"", data, count=1))
            for item in root.iter("Contents"):
                found[item.findtext("Key")] = int(item.findtext("Size"))
            token = root.findtext("NextContinuationToken")
            if root.findtext("IsTruncated") != "true" or not token:
                return found

    def get(self, key):
        return self.request("GET", key)[1]

    def put(self, key, body):
        self.request("PUT", key, body=body)

    def delete(self, key):
        self.request("DELETE", key)


class Folder:
    """The same for a remote that is a directory."""

    def __init__(self, path):
        self.path = path

    def list(self, prefix=""):
        files = {str(file.relative_to(self.path)): file.stat().st_size for file in self.path.rglob("*") if file.is_file()}
        return {key: size for key, size in sorted(files.items()) if key.startswith(prefix)}

    def get(self, key):
        return (self.path / key).read_bytes()

    def put(self, key, body):
        # dv never writes into a stored file, and may have it open: another file takes the name.
        (self.path / key).unlink(missing_ok=True)
        (self.path / key).write_bytes(body)

    def delete(self, key):
        (self.path / key).unlink()
