#!/usr/bin/env python3
"""Signs requests to S3 servers with AWS Signature Version 4, for the tools in this folder. Not a program."""
import datetime
import hashlib
import hmac
import urllib.parse


def canonical_query(query):
    """The query of a URL, each name and value encoded once, in the order that signatures need."""
    pairs = urllib.parse.parse_qsl(query, keep_blank_values=True)
    encode = lambda text: urllib.parse.quote(text, safe="-_.~")
    return "&".join(f"{name}={value}" for name, value in sorted((encode(name), encode(value)) for name, value in pairs))


def sign(method, target, headers, body, keys, region="us-east-1", now=None):
    """Returns `headers` with those that sign the request.

    `target` is the path, encoded as it is sent, and the query. `headers` are names in lowercase to values, with `host`;
    all of them are signed. `keys` are the access key and the secret, or None for a request without a signature.
    """
    headers = dict(headers)
    if keys is None:
        return headers
    path, _, query = target.partition("?")
    now = now or datetime.datetime.now(datetime.timezone.utc)
    moment, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
    digest = hashlib.sha256(body).hexdigest()
    headers["x-amz-date"], headers["x-amz-content-sha256"] = moment, digest
    names = sorted(headers)
    request = "\n".join([method, path, canonical_query(query), *(f"{name}:{headers[name].strip()}" for name in names), "",
                         ";".join(names), digest])
    scope = f"{day}/{region}/s3/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", moment, scope, hashlib.sha256(request.encode()).hexdigest()])
    key = ("AWS4" + keys[1]).encode()
    for part in (day, region, "s3", "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    seal = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    headers["authorization"] = (f"AWS4-HMAC-SHA256 Credential={keys[0]}/{scope}, SignedHeaders={';'.join(names)}, "
                                f"Signature={seal}")
    return headers
