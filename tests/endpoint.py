"""An OpenAI-compatible endpoint on loopback that misbehaves on request."""

import json
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextmanager
def endpoint(answer: Callable[[str, dict, int], tuple[int, dict, object]]):
    """Serve ``answer(path, request, number) -> (status, headers, body)``; yields (base URL,
    requests seen with their headers).

    A body of bytes is sent as it is, any other as JSON.
    """
    seen: list[tuple[str, dict, dict]] = []
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                number = len(seen)
                seen.append(
                    (
                        self.path,
                        request,
                        {name.lower(): value for name, value in self.headers.items()},
                    )
                )
            status, headers, body = answer(self.path, request, number)
            payload = body if isinstance(body, bytes) else json.dumps(body).encode()
            try:
                self.send_response(status)
                for name, value in {
                    "Content-Type": "application/json",
                    "Content-Length": str(len(payload)),
                    **headers,
                }.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(payload)
            except (BrokenPipeError, ConnectionResetError):  # the client gave up
                pass

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", seen
    finally:
        server.shutdown()
        server.server_close()


def completion(text: str, logprobs: dict | None = None, finish: str = "stop") -> dict:
    choice = {"index": 0, "text": text, "logprobs": logprobs, "finish_reason": finish}
    usage = {"prompt_tokens": 3, "completion_tokens": len(text.split()), "total_tokens": 0}
    return {
        "id": "1",
        "object": "text_completion",
        "created": int(time.time()),
        "model": "m",
        "choices": [choice],
        "usage": usage,
    }


def chat_completion(text: str) -> dict:
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": text},
        "logprobs": None,
        "finish_reason": "stop",
    }
    return {
        "id": "1",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": "m",
        "choices": [choice],
    }
