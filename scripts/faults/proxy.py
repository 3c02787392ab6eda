#!/usr/bin/env python3
"""A proxy between a client and an S3 server that counts requests and does to them what networks and servers do.

usage: scripts/faults/proxy.py --upstream HOST:PORT [--listen HOST:PORT] [--plan JSON] [--keys ACCESS:SECRET] [--log FILE]

Prints `proxy http://HOST:PORT` when it is ready. The Host header is passed on as it came, because signatures cover it. With
the keys it can ask for other ranges than the client did, which needs signatures of its own.

The plan says which request gets which fault (`plan.py` lists them). Set it and read what happened:

    PUT /-/plan    a plan as JSON; counting starts anew at 0
    GET /-/counts  {"requests", "applied": {fault: n}, "operations": {name: n}, "sent", "received", "log": [...]}

`applied` counts the faults that changed something: flipping a bit of an empty body is none.
"""
import argparse
import asyncio
import json
import re
import socket
import struct
import sys
import time
import urllib.parse

from plan import FAULTS, Plan
from signature import sign

HEAD_LIMIT = 1 << 20
PIECE = 1 << 18
# What is held whole to change it; no client here asks for more at once.
BODY_LIMIT = 1 << 30


class Gone(Exception):
    """The client's connection is over."""


class Head:
    """The first line and the headers of a request or response."""

    def __init__(self, data):
        lines = data.decode("latin-1").split("\r\n")
        self.first = lines[0]
        self.fields = [tuple(part.strip() for part in line.split(":", 1)) for line in lines[1:] if ":" in line]

    def get(self, name, default=None):
        return next((value for key, value in self.fields if key.lower() == name), default)

    def without(self, *names):
        self.fields = [(key, value) for key, value in self.fields if key.lower() not in names]
        return self

    def adding(self, name, value):
        self.fields.append((name, value))
        return self

    @property
    def status(self):
        return int(self.first.split(" ")[1])

    def encoded(self):
        return "\r\n".join([self.first, *(f"{key}: {value}" for key, value in self.fields), "", ""]).encode("latin-1")


def operation(method, target):
    """What S3 calls a request."""
    path, _, query = target.partition("?")
    query = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
    is_object = bool(path.strip("/").partition("/")[2])
    if "uploads" in query:
        return {"POST": "CreateMultipartUpload", "GET": "ListMultipartUploads"}.get(method, method)
    if "uploadId" in query:
        return {"PUT": "UploadPart", "POST": "CompleteMultipartUpload", "DELETE": "AbortMultipartUpload",
                "GET": "ListParts"}.get(method, method)
    if "delete" in query and method == "POST":
        return "DeleteObjects"
    if not is_object:
        return {"GET": "ListObjects", "HEAD": "HeadBucket", "PUT": "CreateBucket", "DELETE": "DeleteBucket"}.get(method, method)
    return {"GET": "GetObject", "HEAD": "HeadObject", "PUT": "PutObject", "DELETE": "DeleteObject"}.get(method, method)


def problem(status, reason, code, message, headers=()):
    """An error as S3 servers send it."""
    body = (f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message>'
            "<RequestId>fault</RequestId></Error>").encode()
    return status, reason, [("Content-Type", "application/xml"), *headers], body


ANSWERS = {
    "500": problem(500, "Internal Server Error", "InternalError", "We encountered an internal error. Please try again."),
    "502": (502, "Bad Gateway", [("Content-Type", "text/html")], b"<html><body><h1>502 Bad Gateway</h1></body></html>"),
    "503": problem(503, "Service Unavailable", "SlowDown", "Please reduce your request rate."),
    "503-early": problem(503, "Service Unavailable", "SlowDown", "Please reduce your request rate."),
    "429": problem(429, "Too Many Requests", "TooManyRequests", "Please reduce your request rate.", [("Retry-After", "1")]),
    "408": problem(408, "Request Timeout", "RequestTimeout", "Your socket connection to the server was not read from in time."),
    "409": problem(409, "Conflict", "OperationAborted", "A conflicting conditional operation is in progress."),
    "412": problem(412, "Precondition Failed", "PreconditionFailed", "At least one of the preconditions did not hold."),
    "403-expired": problem(403, "Forbidden", "ExpiredToken", "The provided token has expired."),
    "403-skewed": problem(403, "Forbidden", "RequestTimeTooSkewed", "The difference between the times is too large."),
    "404": problem(404, "Not Found", "NoSuchKey", "The specified key does not exist."),
    "200-error": problem(200, "OK", "InternalError", "We encountered an internal error. Please try again."),
    "200-empty": (200, "OK", [], b""),
}


class Limit:
    """Lets so many bytes pass in a second, whichever connection they are on."""

    def __init__(self):
        self.next = 0.0

    async def take(self, count, rate):
        if rate <= 0:
            return
        now = time.monotonic()
        self.next = max(self.next, now) + count / rate
        await asyncio.sleep(self.next - now)


class Proxy:
    def __init__(self, upstream, keys, log, plan):
        self.upstream, self.keys, self.log = upstream, keys, log
        self.limit = Limit()
        self.set(plan)

    def set(self, plan):
        self.plan, self.entries, self.applied = plan, [], {}
        self.sent = self.received = 0
        self.count = 0

    def counts(self):
        operations = {}
        for entry in self.entries:
            operations[entry["operation"]] = operations.get(entry["operation"], 0) + 1
        return {"requests": self.count, "applied": self.applied, "operations": operations, "sent": self.sent,
                "received": self.received, "log": self.entries}

    # -- The client's side

    async def serve(self, reader, writer):
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.plan.latency:
            # The handshake's way there and back.
            await asyncio.sleep(self.plan.latency)
        try:
            while await Exchange(self, reader, writer).run():
                pass
        except (Gone, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()


class Exchange:
    """One request of a client and its answer."""

    def __init__(self, proxy, reader, writer):
        self.proxy, self.reader, self.writer = proxy, reader, writer
        # A plan that is set meanwhile is not about this request.
        self.plan = proxy.plan

    async def run(self):
        """Returns whether the connection may go on."""
        try:
            data = await self.reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return False
        self.head = Head(data[:-4])
        self.method, self.target, _ = self.head.first.split(" ", 2)
        if self.target.startswith("/-/"):
            return await self.control()
        proxy, self.plan = self.proxy, self.proxy.plan
        self.index, proxy.count = proxy.count, proxy.count + 1
        self.fault = self.plan.choose(self.index)
        self.entry = {"index": self.index, "method": self.method, "target": self.target, "range": self.head.get("range"),
                      "operation": operation(self.method, self.target), "fault": self.fault, "applied": False,
                      "status": None, "sent": 0, "received": 0}
        self.entries = proxy.entries
        self.entries.append(self.entry)
        start = time.monotonic()
        try:
            if self.plan.latency:
                await asyncio.sleep(self.plan.latency)
            return await self.answer() and self.head.get("connection", "").lower() != "close"
        finally:
            self.entry["seconds"] = round(time.monotonic() - start, 4)
            if proxy.log:
                proxy.log.write(json.dumps(self.entry) + "\n")
                proxy.log.flush()

    async def control(self):
        """Sets the plan or tells the counts."""
        status, value = 200, {}
        body = await self.whole_body()
        if self.target == "/-/plan" and self.method == "PUT":
            try:
                self.proxy.set(Plan.read(json.loads(body)))
            except (ValueError, TypeError) as error:
                status, value = 400, {"error": str(error)}
        elif self.target == "/-/counts":
            value = self.proxy.counts()
        else:
            status, value = 404, {"error": "there are /-/plan and /-/counts"}
        text = json.dumps(value).encode()
        self.writer.write(f"HTTP/1.1 {status} -\r\nContent-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n".encode()
                          + text)
        await self.writer.drain()
        return True

    def note(self):
        """Counts the fault: it changed something."""
        if not self.entry["applied"] and self.plan is self.proxy.plan:
            self.proxy.applied[self.fault] = self.proxy.applied.get(self.fault, 0) + 1
        self.entry["applied"] = True

    async def send(self, data):
        await self.proxy.limit.take(len(data), self.plan.bandwidth)
        self.entry["received"] += len(data)
        self.proxy.received += len(data)
        self.writer.write(data)
        await self.writer.drain()

    async def respond(self, status, reason, headers, body):
        self.entry["status"] = status
        now = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime())
        fields = [("Date", now), *headers, ("Content-Length", str(len(body)))]
        head = f"HTTP/1.1 {status} {reason}\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields) + "\r\n"
        await self.send(head.encode() + (b"" if self.method == "HEAD" else body))

    def reset(self):
        """Ends the connection as a crash does: what was not read yet is lost."""
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()
        raise Gone

    # -- The request's body

    async def body(self):
        """The pieces of the request's body."""
        if "100-continue" in self.head.get("expect", "").lower():
            self.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            await self.writer.drain()
        if "chunked" in self.head.get("transfer-encoding", "").lower():
            async for piece in chunks(self.reader):
                yield piece
            return
        left = int(self.head.get("content-length", "0"))
        while left > 0:
            piece = await self.reader.read(min(PIECE, left))
            if not piece:
                raise Gone
            left -= len(piece)
            yield piece

    async def counted_body(self):
        async for piece in self.body():
            await self.proxy.limit.take(len(piece), self.plan.bandwidth)
            self.entry["sent"] += len(piece)
            self.proxy.sent += len(piece)
            yield piece

    async def whole_body(self):
        return b"".join([piece async for piece in self.body()])

    # -- Faults

    async def answer(self):
        fault = self.fault
        if fault in ANSWERS:
            self.note()
            if fault != "503-early":
                async for _ in self.counted_body():
                    pass
            await self.respond(*ANSWERS[fault])
            return fault != "503-early"
        if fault == "307":
            self.note()
            async for _ in self.counted_body():
                pass
            place = f"http://{self.head.get('host')}{self.target}"
            await self.respond(*problem(307, "Temporary Redirect", "TemporaryRedirect", "Please re-send to this endpoint.",
                                        [("Location", place)]))
            return True
        if fault == "reset-request":
            self.note()
            size = int(self.head.get("content-length", "0"))
            async for _ in self.counted_body():
                if self.entry["sent"] * 2 >= size:
                    break
            self.reset()
        if fault == "stall":
            self.note()
            await asyncio.sleep(self.plan.stall)
        pieces = self.counted_body()
        if fault == "flip-request":
            body = self.flipped(b"".join([piece async for piece in pieces]))
            pieces = as_pieces(body)
        if fault == "duplicate":
            self.note()
            body = b"".join([piece async for piece in pieces])
            first = await self.ask(self.head, as_pieces(body))
            await first.whole()
            pieces = as_pieces(body)
        try:
            if fault in ("wrong-range", "wrong-range-told", "whole") and self.entry["operation"] == "GetObject":
                response = await self.ask_otherwise()
            else:
                response = await self.ask(self.head, pieces)
        except OSError as error:
            self.entry["upstream"] = str(error)
            await self.respond(502, "Bad Gateway", [], b"the server behind the proxy does not answer")
            return False
        try:
            return await self.relay(response)
        finally:
            response.close()

    def flipped(self, body):
        """The bytes with one bit changed."""
        if not body:
            return body
        self.note()
        draw = self.plan.draw(self.index)
        place = draw.randrange(len(body))
        return body[:place] + bytes([body[place] ^ 1 << draw.randrange(8)]) + body[place + 1:]

    async def ask(self, head, pieces):
        """Sends a request on and returns the answer, of which only the head was read."""
        reader, writer = await asyncio.open_connection(*self.proxy.upstream, limit=HEAD_LIMIT)
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        passed = Head(head.encoded()[:-4]).without("connection", "expect", "keep-alive", "transfer-encoding", "content-length")
        length = head.get("content-length")
        is_chunked = length is None and head.get("transfer-encoding") is not None
        if is_chunked:
            passed.adding("Transfer-Encoding", "chunked")
        elif length is not None:
            passed.adding("Content-Length", length)
        writer.write(passed.adding("Connection", "close").encoded())
        try:
            async for piece in pieces:
                writer.write(b"%x\r\n%b\r\n" % (len(piece), piece) if is_chunked else piece)
                await writer.drain()
            if is_chunked:
                writer.write(b"0\r\n\r\n")
            await writer.drain()
        except OSError:
            # A server may answer before it has read all, and close.
            async for _ in pieces:
                pass
        try:
            while True:
                answer = Head((await reader.readuntil(b"\r\n\r\n"))[:-4])
                if answer.status != 100:
                    return Response(answer, reader, writer, self.method)
        except asyncio.IncompleteReadError as error:
            writer.close()
            raise OSError("the server closed the connection without an answer") from error

    async def ask_otherwise(self):
        """Asks for another range than the client did, or for the whole."""
        match = re.fullmatch(r"bytes=(\d+)-(\d+)", self.head.get("range") or "")
        if not match or not self.proxy.keys:
            return await self.ask(self.head, as_pieces(b""))
        start, end = int(match[1]), int(match[2])
        shift = 1 + self.plan.draw(self.index).randrange(64)
        other = (start - shift, end - shift) if start >= shift else (start + shift, end + shift)
        headers = {"host": self.head.get("host")}
        if self.fault != "whole":
            headers["range"] = f"bytes={other[0]}-{other[1]}"
        signed = sign("GET", self.target, headers, b"", self.proxy.keys)
        head = Head(self.head.first.encode())
        head.fields = list(signed.items())
        response = await self.ask(head, as_pieces(b""))
        if response.head.status == 416 or response.length != end - start + 1 and self.fault != "whole":
            # There is no other range of this length: what the client asked for is all there is.
            response.close()
            return await self.ask(self.head, as_pieces(b""))
        self.note()
        if self.fault == "wrong-range":
            told = re.sub(r"bytes \d+-\d+", f"bytes {start}-{end}", response.head.get("content-range") or "")
            response.head.without("content-range").adding("Content-Range", told)
        return response

    async def relay(self, response):
        """Passes an answer on, or what the fault makes of it."""
        fault, head = self.fault, response.head
        self.entry["status"] = head.status
        head.without("connection", "keep-alive", "transfer-encoding")
        if fault == "dropped":
            await response.whole()
            self.note()
            return False
        body = None
        is_listing = self.entry["operation"] == "ListObjects"
        if fault in ("flip", "short-whole", "list-lacks") or response.length is None:
            body = await response.whole()
        if fault == "flip" and self.method != "HEAD":
            body = self.flipped(body)
        if fault == "short-whole" and body:
            self.note()
            body = body[: len(body) // 2]
        if fault == "list-lacks" and is_listing:
            items = list(re.finditer(rb"<Contents>.*?</Contents>", body, re.S))
            if items:
                self.note()
                item = self.plan.draw(self.index).choice(items)
                body = body[: item.start()] + body[item.end():]
        if body is not None and self.method != "HEAD" and head.status not in (204, 304):
            head.without("content-length").adding("Content-Length", str(len(body)))
        length = response.length if body is None else len(body)
        if fault in ("short", "reset-response", "hang") and not length:
            # Nothing to cut in the body, so the head is cut.
            data = head.encoded()
            self.note()
            await self.send(data[: len(data) // 2])
            return await self.cut()
        await self.send(head.encoded())
        cut = length // 2 if fault in ("short", "reset-response", "stall-body", "hang") and length else None
        done = 0
        async for piece in response.pieces() if body is None else as_pieces(body):
            if cut is not None and done + len(piece) > cut:
                await self.send(piece[: cut - done])
                self.note()
                if fault != "stall-body":
                    return await self.cut()
                await asyncio.sleep(self.plan.stall)
                await self.send(piece[cut - done:])
                done, cut = done + len(piece), None
                continue
            done += len(piece)
            await self.send(piece)
        return length is None or done == length

    async def cut(self):
        if self.fault == "reset-response":
            # Time for what was sent to arrive: a reset overtakes it.
            await asyncio.sleep(0.01)
            self.reset()
        if self.fault == "hang":
            await self.reader.read()
        return False


class Response:
    """What the server answered: its head, and a body that is still to be read."""

    def __init__(self, head, reader, writer, method):
        self.head, self.reader, self.writer = head, reader, writer
        self.is_chunked = "chunked" in head.get("transfer-encoding", "").lower()
        length = head.get("content-length")
        self.length = None if self.is_chunked or length is None else int(length)
        if method == "HEAD" or head.status in (204, 304):
            self.length, self.is_chunked = 0, False

    async def pieces(self):
        if self.is_chunked:
            async for piece in chunks(self.reader):
                yield piece
            return
        left = self.length
        while left is None or left > 0:
            piece = await self.reader.read(PIECE if left is None else min(PIECE, left))
            if not piece:
                return
            if left is not None:
                left -= len(piece)
            yield piece

    async def whole(self):
        data = bytearray()
        async for piece in self.pieces():
            data += piece
            if len(data) > BODY_LIMIT:
                raise OSError("the body is too large to be held")
        self.close()
        return bytes(data)

    def close(self):
        self.writer.close()


async def chunks(reader):
    """The pieces of a body in chunked coding."""
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        yield await reader.readexactly(size)
        await reader.readexactly(2)
    while await reader.readuntil(b"\r\n") != b"\r\n":
        pass


async def as_pieces(body):
    if body:
        yield body


def place(text):
    host, _, port = text.rpartition(":")
    return host or "127.0.0.1", int(port)


async def main():
    parser = argparse.ArgumentParser(description="A proxy to an S3 server that counts requests and applies faults.",
                                     epilog="Faults: " + "; ".join(f"{name}: {text[0]}" for name, text in FAULTS.items()))
    parser.add_argument("--upstream", required=True, type=place, metavar="HOST:PORT")
    parser.add_argument("--listen", default="127.0.0.1:0", type=place, metavar="HOST:PORT", help="port 0 takes a free one")
    parser.add_argument("--plan", default="{}", metavar="JSON")
    parser.add_argument("--keys", metavar="ACCESS:SECRET")
    parser.add_argument("--log", metavar="FILE", type=argparse.FileType("a"))
    options = parser.parse_args()
    keys = tuple(options.keys.split(":", 1)) if options.keys else None
    proxy = Proxy(options.upstream, keys, options.log, Plan.read(json.loads(options.plan)))
    server = await asyncio.start_server(proxy.serve, *options.listen, limit=HEAD_LIMIT, backlog=1024)
    host, port = server.sockets[0].getsockname()[:2]
    print(f"proxy http://{host}:{port}", flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        sys.exit(130)
