"""The same job as a function in Python would do it, to compare with: signature, sheet, mention, one post to Slack.

It has no ledger, no backup, no second try and no grammar of dates. It speaks Lambda's runtime API itself, which is
quicker than the client that AWS publishes.
"""

import base64
import hashlib
import hmac
import http.client
import json
import os
import time
import urllib.parse

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

CONNECTIONS = {}
CACHE = {}


def call(url, method="GET", headers=None, body=None):
    """One request over a connection that is kept open."""
    parts = urllib.parse.urlsplit(url)
    connection = CONNECTIONS.get(parts.netloc)
    if connection is None:
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = CONNECTIONS[parts.netloc] = kind(parts.netloc, timeout=2)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    connection.request(method, path, body, headers or {})
    response = connection.getresponse()
    answer = response.read()
    if response.status != 200:
        raise OSError(f"HTTP {response.status}: {answer.decode(errors='replace')}")
    return answer


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def token():
    held = CACHE.get("token")
    if held and held[1] > time.time():
        return held[0]
    account = json.loads(os.environ["GOOGLE_CREDENTIALS"])
    now = int(time.time())
    claims = {
        "iss": account["client_email"],
        "scope": "https://www.googleapis.com/auth/spreadsheets.readonly",
        "aud": account["token_uri"],
        "iat": now,
        "exp": now + 3600,
    }
    unsigned = encoded(b'{"alg":"RS256","typ":"JWT"}') + b"." + encoded(json.dumps(claims).encode())
    key = serialization.load_pem_private_key(account["private_key"].encode(), None)
    signed = unsigned + b"." + encoded(key.sign(unsigned, padding.PKCS1v15(), hashes.SHA256()))
    form = urllib.parse.urlencode(
        {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": signed.decode()}
    )
    body = call(account["token_uri"], "POST", {"content-type": "application/x-www-form-urlencoded"}, form)
    answer = json.loads(body)
    CACHE["token"] = answer["access_token"], time.time() + answer["expires_in"] - 60
    return CACHE["token"][0]


def rows():
    held = CACHE.get("rows")
    if held and held[1] > time.time():
        return held[0]
    ranges = [("ranges", "当番表!A:Z"), ("ranges", os.environ["MEMBERS_RANGE"])]
    query = urllib.parse.urlencode([*ranges, ("valueRenderOption", "UNFORMATTED_VALUE")])
    url = f"{os.environ['SHEETS_BASE_URL']}/v4/spreadsheets/{os.environ['SPREADSHEET_ID']}/values:batchGet?{query}"
    body = call(url, headers={"authorization": f"Bearer {token()}"})
    roster, members = (part.get("values", []) for part in json.loads(body)["valueRanges"])
    CACHE["rows"] = (roster, {row[0]: row[2] for row in members[1:]}), time.time() + 15
    return CACHE["rows"][0]


def handle(event):
    body = base64.b64decode(event["body"]) if event.get("isBase64Encoded") else event["body"].encode()
    sent = event["headers"].get("x-pagerduty-signature", "")
    secrets = os.environ["PAGERDUTY_SIGNING_SECRETS"].split(",")
    known = ["v1=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest() for secret in secrets]
    if not any(hmac.compare_digest(one, own) for one in sent.split(",") for own in known):
        return {"statusCode": 401}
    incident = json.loads(body)["event"]["data"]
    roster, members = rows()
    today = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 9 * 3600))
    names = next((row[1] for row in roster[1:] if row and row[0] == today), "").split("、")
    mentions = " ".join(f"<@{members[name]}>" for name in names if name in members)
    title = incident["title"].replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = f"{mentions}\n🔴 発生 #pd{incident['number']} {title}\n{incident['html_url']}"
    message = {
        "channel": os.environ["SLACK_ALERT_CHANNEL"],
        "text": text,
        "unfurl_links": False,
        "unfurl_media": False,
    }
    headers = {
        "authorization": f"Bearer {os.environ['SLACK_TOKEN']}",
        "content-type": "application/json; charset=utf-8",
    }
    answer = call(
        f"{os.environ['SLACK_BASE_URL']}/api/chat.postMessage", "POST", headers, json.dumps(message).encode()
    )
    posted = json.loads(answer).get("ok") is True
    return {"statusCode": 200 if posted else 503}


def main():
    runtime = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    while True:
        runtime.request("GET", "/2018-06-01/runtime/invocation/next")
        response = runtime.getresponse()
        event = json.loads(response.read())
        request = response.headers["lambda-runtime-aws-request-id"]
        try:
            answer = handle(event)
        except Exception as error:  # PagerDuty sends it again.
            answer = {"statusCode": 503, "body": repr(error)}
        runtime.request("POST", f"/2018-06-01/runtime/invocation/{request}/response", json.dumps(answer))
        runtime.getresponse().read()


main()
