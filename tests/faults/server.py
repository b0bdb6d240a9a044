"""A web server on 127.0.0.1 that serves files, and misbehaves on request."""

import socket
import struct
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PAGE = b"<!DOCTYPE html>\n<html><body>Please log in to the hospital network.</body></html>"


MISBEHAVIOUR = {  # each fault, in words
    "truncate": "ends half-way",
    "drop": "breaks off",
    "corrupt": "sends a wrong byte",
    "html": "sends a web page",
    "bare_html": "sends a web page that says it is data",
    "redirect": "redirects to a login page",
    "503": "answers 503",
    "404": "answers 404",
    "stall": "stalls half-way",
    "silent": "never sends a byte",
    "held": "waits half-way until it is released",
    "no_range": "ignores the range asked for",
    "wrong_range": "sends another range",
    "no_length": "does not tell the length",
}


@dataclass
class Served:
    body: bytes
    fault: str = ""  # one of MISBEHAVIOUR; "" is none
    times: int = 10**9  # how many GETs meet the fault before all is well
    head: bool = True  # whether HEAD is answered
    asked: list[tuple[str, str | None]] = field(default_factory=list)  # every GET: its path and its Range header


class Handler(BaseHTTPRequestHandler):
    server: "FaultyServer"

    def log_message(self, *_):
        pass

    def answer(self, status: int, body: bytes, send: int | None = None, **headers: str) -> None:
        """Send ``body`` with its true length in the header, but only the first ``send`` bytes of it."""
        self.send_response(status)
        headers = {"Content_Type": "application/octet-stream", "Content_Length": str(len(body))} | headers
        for key, value in headers.items():
            if value:
                self.send_header(key.replace("_", "-"), value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body[:send])
            self.wfile.flush()

    def do_HEAD(self):
        if self.path == "/login":
            return self.answer(200, PAGE, Content_Type="text/html; charset=utf-8")
        served = self.server.files[self.path]
        self.answer(200 if served.head else 405, served.body)

    def do_GET(self):
        if self.path == "/login":
            return self.answer(200, PAGE, Content_Type="text/html; charset=utf-8")
        served = self.server.files[self.path]
        asked = self.headers.get("Range")
        with self.server.counting:
            served.asked.append((self.path, asked))
            fault = served.fault if len(served.asked) <= served.times else ""
        assert not fault or fault in MISBEHAVIOUR, fault
        body, status, headers = served.body, 200, {}
        if asked and fault != "no_range":
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            if start >= len(body):
                return self.answer(416, b"", Content_Range=f"bytes */{len(body)}")
            start = 1 if fault == "wrong_range" else start
            status, headers = 206, {"Content_Range": f"bytes {start}-{len(body) - 1}/{len(body)}"}
            body = body[start:]
        half = len(body) // 2
        if fault in ("503", "404"):
            self.answer(int(fault), PAGE, Content_Type="text/html")
        elif fault == "html":
            self.answer(200, PAGE, Content_Type="text/html; charset=utf-8")
        elif fault == "bare_html":
            self.answer(200, PAGE)
        elif fault == "redirect":
            self.answer(302, b"", Location="/login")
        elif fault == "corrupt":
            self.answer(status, body[:half] + bytes([body[half] ^ 1]) + body[half + 1 :], **headers)
        elif fault == "truncate":
            self.answer(status, body, send=half, **headers)
        elif fault == "drop":
            self.answer(status, body, send=half, **headers)
            time.sleep(0.25)  # for the half to be read; the reset below throws away what was not
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif fault == "stall":
            self.answer(status, body, send=half, **headers)
            self.server.closing.wait(30)
        elif fault == "silent":
            self.server.closing.wait(30)
        elif fault == "held":
            self.answer(status, body, send=half, **headers)
            self.server.release.wait(30)
            self.wfile.write(body[half:])
        elif fault == "no_length":
            self.answer(status, body, Content_Length="")
        else:
            self.answer(status, body, **headers)


class FaultyServer(ThreadingHTTPServer):
    """``with FaultyServer() as server: url = server.serve("a.npz", b"...", fault="truncate", times=1)``"""

    daemon_threads = True
    block_on_close = False

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, Served] = {}
        self.counting = threading.Lock()
        self.closing = threading.Event()
        self.release = threading.Event()  # lets the held answers go on

    def serve(self, name: str, body: bytes, **how) -> str:
        self.files[f"/{name}"] = Served(body, **how)
        return f"http://127.0.0.1:{self.server_port}/{name}"

    def asked(self, name: str) -> list[str | None]:
        """The Range headers of the GETs so far, None where there was none."""
        return [asked for _, asked in self.files[f"/{name}"].asked]

    def handle_error(self, request, client_address):
        pass  # a client that hangs up is what these tests are about

    def __enter__(self):
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.closing.set()
        self.release.set()
        self.shutdown()
        self.server_close()
