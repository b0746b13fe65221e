#!/usr/bin/python3
"""A provider of OpenID Connect for tests: oidc_provider.py PORT [REDIRECT]. Checks what it is sent; /control?NAME=VALUE makes
it wrong. With REDIRECT it sends the browser back there, as a real one does when somebody has logged in at it."""
import base64
import hashlib
import json
import secrets
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

PORT = int(sys.argv[1])
ISSUER = f"http://127.0.0.1:{PORT}/realm"
CLIENT, SECRET = "nora-lab", "s3cret/+ ü"
REDIRECT = sys.argv[2] if len(sys.argv) > 2 else "https://nora.lab.local/auth/callback"
SENDS_BACK = len(sys.argv) > 2


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value, length=None):
    return b64(value.to_bytes(length or (value.bit_length() + 7) // 8, "big"))


class Key:
    def __init__(self, kid, algorithm):
        self.kid, self.algorithm = kid, algorithm
        self.private = rsa.generate_private_key(65537, 2048) if algorithm == "RS256" else ec.generate_private_key(ec.SECP256R1())

    def public(self):
        numbers = self.private.public_key().public_numbers()
        if self.algorithm == "RS256":
            return {"kty": "RSA", "kid": self.kid, "use": "sig", "n": number(numbers.n), "e": number(numbers.e)}
        return {"kty": "EC", "kid": self.kid, "crv": "P-256", "x": number(numbers.x, 32), "y": number(numbers.y, 32)}

    def sign(self, message):
        if self.algorithm == "RS256":
            return self.private.sign(message, padding.PKCS1v15(), hashes.SHA256())
        r, s = utils.decode_dss_signature(self.private.sign(message, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


KEYS = {"RS256": Key("rsa-1", "RS256"), "ES256": Key("ec-1", "ES256")}
STRANGER = Key("rsa-1", "RS256")  # pretends to be ours
FAULTS, CODES, COUNTS = {}, {}, {}


def id_token(grant):
    key = KEYS[FAULTS.get("alg", "RS256")]
    now = int(time.time()) + int(FAULTS.get("clock", 0))
    claims = {"iss": ISSUER, "sub": "user-7", "aud": CLIENT, "exp": now + 300, "iat": now, "nonce": grant["nonce"],
              "preferred_username": "alice", "name": "Alice Example", "email": "alice@lab.local", "email_verified": True,
              "groups": ["readers", "editors", "readers"]}
    claims.update(json.loads(FAULTS.get("claims", "{}")))
    claims = {name: value for name, value in claims.items() if value is not None}
    header = {"alg": FAULTS.get("header_alg", key.algorithm), "kid": key.kid, "typ": "JWT"}
    message = f"{b64(json.dumps(header).encode())}.{b64(json.dumps(claims).encode())}".encode()
    signature = (STRANGER if "stranger" in FAULTS else key).sign(message)
    return message.decode() + "." + ("" if "unsigned" in FAULTS else b64(signature))


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def answer(self, value, status=200, headers=()):
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        for name, text in headers:
            self.send_header(name, text)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        COUNTS[url.path] = COUNTS.get(url.path, 0) + 1
        if url.path == "/control":
            return self.control(query)
        if FAULTS.get("at") == url.path:
            return self.fault()
        if url.path == "/realm/.well-known/openid-configuration":
            return self.answer({"issuer": FAULTS.get("issuer", ISSUER), "authorization_endpoint": ISSUER + "/authorize",
                                "token_endpoint": FAULTS.get("token_endpoint", ISSUER + "/token"),
                                "jwks_uri": ISSUER + "/keys", "userinfo_endpoint": ISSUER + "/userinfo",
                                "token_endpoint_auth_methods_supported": [FAULTS.get("method", "client_secret_basic")],
                                "authorization_response_iss_parameter_supported": True})
        if url.path == "/realm/keys":
            return self.answer({"keys": [{"kty": "oct", "k": "AAAA"}] + [key.public() for key in KEYS.values()]})
        if url.path == "/realm/authorize":
            return self.authorize(query)
        if url.path == "/realm/userinfo":
            if self.headers.get("Authorization") != "Bearer access-7":
                return self.answer({"error": "invalid_token"}, 401)
            return self.answer({"sub": FAULTS.get("info_sub", "user-7"), "preferred_username": "alice-by-info", "iss": "x"})
        return self.answer({"error": "not_found"}, 404)

    def control(self, query):
        if "count" in query:
            return self.answer(str(COUNTS.get(query["count"], 0)).encode())
        if "reset" in query:
            FAULTS.clear()
            COUNTS.clear()
        if "rotate" in query:
            KEYS["RS256"] = Key("rsa-" + secrets.token_hex(4), "RS256")
        FAULTS.update({name: value for name, value in query.items() if name not in ("reset", "rotate")})
        return self.answer(b"ok")

    def fault(self):
        kind = FAULTS["kind"]
        if kind == "slow":
            time.sleep(3)
        body = {"big": b"x" * (3 << 20), "html": b"<html>", "slow": b"{}", "down": b"{}", "array": b"[1]",
                "redirect": b""}[kind]
        self.answer(body, {"down": 503, "redirect": 302}.get(kind, 200), [("Location", "/control")])

    def authorize(self, query):
        wrong = [name for name, value in [("client_id", CLIENT), ("redirect_uri", REDIRECT), ("response_type", "code"),
                                          ("code_challenge_method", "S256")] if query.get(name) != value]
        if wrong or "openid" not in query["scope"].split() or len(query["code_challenge"]) != 43:
            return self.answer({"error": "invalid_request", "wrong": wrong}, 400)
        code = secrets.token_urlsafe(8)
        CODES[code] = query
        back = {"state": query["state"], "iss": ISSUER, "code": code}
        if "refuse" in FAULTS:
            back = {"state": query["state"], "iss": ISSUER, "error": "access_denied", "error_description": "cancelled"}
        if SENDS_BACK:
            return self.answer(b"", 302, [("Location", f"{REDIRECT}?{urlencode(back)}")])
        self.answer(urlencode(back).encode(), 200)

    def do_POST(self):
        form = {name: values[0] for name, values in
                parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode()).items()}
        if FAULTS.get("at") == urlsplit(self.path).path:
            return self.fault()
        if FAULTS.get("method") == "client_secret_post":
            who = [form.get("client_id"), form.get("client_secret")]
        else:
            basic = base64.b64decode(self.headers.get("Authorization", "")[6:]).decode()
            who = [unquote(part) for part in basic.split(":")]
        if who != [CLIENT, SECRET]:
            return self.answer({"error": "invalid_client"}, 401)
        grant = CODES.pop(form.get("code"), None)
        verifier = b64(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if not grant or verifier != grant["code_challenge"] or form.get("redirect_uri") != grant["redirect_uri"] \
                or form.get("grant_type") != "authorization_code":
            return self.answer({"error": "invalid_grant"}, 400)
        self.answer({"access_token": "access-7", "token_type": "Bearer", "id_token": id_token(grant)})


ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
