"""A server on loopback that stands in for YouTube's address of a clip: files, refusals, faults."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Clips(ThreadingHTTPServer):
    """Serves ``contents`` by YouTube id: a file, a status, or the bytes after which it breaks."""

    daemon_threads = True

    def __init__(self, contents: Mapping[str, bytes | int | tuple[bytes, int]]) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.contents = contents
        self.asked: list[str] = []
        """The ids, in the order of the requests."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Answer(BaseHTTPRequestHandler):
    server: Clips

    def do_GET(self) -> None:
        clip = self.path.strip("/")
        self.server.asked.append(clip)
        content = self.server.contents.get(clip, 404)
        if isinstance(content, int):
            self.send_error(content)
            return
        body, promised = content if isinstance(content, tuple) else (content, len(content))
        self.send_response(200)
        self.send_header("Content-Type", "video/mp4")
        self.send_header("Content-Length", str(promised))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    do_HEAD = do_GET

    def log_message(self, format: str, *args: object) -> None: ...


@contextmanager
def serve(contents: Mapping[str, bytes | int | tuple[bytes, int]]) -> Iterator[Clips]:
    """The server, until the block ends."""
    server = Clips(contents)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
