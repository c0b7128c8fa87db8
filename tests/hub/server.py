"""A small hub on loopback: it speaks the protocol of the Hugging Face hub as ``huggingface_hub``
uses it, and can misbehave.

Repositories hold commits, commits hold files. Large files (weights, tables) are answered with a
redirect to another host name, as the real hub does, and can be fetched in ranges.
"""

import hashlib
import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

#: Files that the hub keeps outside git.
_LARGE = re.compile(r"\.(safetensors|parquet|bin)$")
_API = re.compile(
    r"/api/(?P<kind>models|datasets)/(?P<name>[^/]+/[^/]+)(?:/(?P<what>revision|tree|paths-info)/(?P<revision>[^/]+))?"
)
_FILE = re.compile(
    r"/(?P<kind>datasets/)?(?P<name>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<path>.+)"
)


@dataclass
class Fault:
    """What goes wrong with the requests whose ``METHOD /path`` matches.

    Attributes:
        pattern: a regular expression.
        times: how often; then all is well again.
        status: answer with this status.
        body: answer with this content.
        delay: wait so many seconds first.
        cut: send half of the body and hang up.
        short: claim that half of the body is all there is.
    """

    pattern: str
    times: int = 1_000_000
    status: int | None = None
    body: bytes = b""
    delay: float = 0.0
    cut: bool = False
    short: bool = False

    def __str__(self) -> str:
        kinds = {"body": self.body, "slow": self.delay, "cut": self.cut, "short": self.short}
        return " ".join(
            [
                self.pattern,
                str(self.status or ""),
                *(kind for kind, there in kinds.items() if there),
            ]
        )


@dataclass
class Repository:
    """Commits, the newest last: sha -> path -> content."""

    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)

    def commit(self, files: dict[str, bytes]) -> str:
        sha = hashlib.sha1(repr((len(self.commits), sorted(files.items()))).encode()).hexdigest()
        self.commits[sha] = dict(files)
        return sha

    def resolve(self, revision: str | None) -> str | None:
        if revision in (None, "main"):
            return list(self.commits)[-1]
        return revision if revision in self.commits else None


class Hub:
    """The server: ``with Hub() as hub: hub.add("models", "owner/name", files)``."""

    def __init__(self):
        self.repositories: dict[tuple[str, str], Repository] = {}
        self.faults: list[Fault] = []
        self.requests: list[str] = []
        self.port = 0
        self._server: _Server | None = None

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def add(self, kind: str, name: str, files: dict[str, bytes]) -> str:
        """Add a commit to a repository, and say its sha."""
        return self.repositories.setdefault((kind, name), Repository()).commit(files)

    def start(self) -> None:
        hub = self

        class Handler(_Handler):
            pass

        Handler.hub = hub
        self._server = _Server(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_port
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()

    def stop(self) -> None:
        """Go down: connections are refused until :meth:`start`, which takes the same port again."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def __enter__(self) -> "Hub":
        self.start()
        return self

    def __exit__(self, *_) -> None:
        self.stop()

    def fault_for(self, request: str) -> Fault | None:
        for fault in self.faults:
            if fault.times > 0 and re.search(fault.pattern, request):
                fault.times -= 1
                return fault
        return None

    def large(self, sha256: str) -> bytes | None:
        for repository in self.repositories.values():
            for files in repository.commits.values():
                for path, content in files.items():
                    if _LARGE.search(path) and hashlib.sha256(content).hexdigest() == sha256:
                        return content
        return None


def _git_sha(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """A client that gave up waiting is no error of the server's."""


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    # one request a connection, so that a stopped server leaves none open
    protocol_version = "HTTP/1.0"

    def log_message(self, *_):
        pass

    def do_GET(self):
        request = f"{self.command} {self.path}"
        self.hub.requests.append(" ".join([request, *self.headers.get_all("Range", [])]))
        self.fault = self.hub.fault_for(request)
        if self.fault and self.fault.delay:
            threading.Event().wait(self.fault.delay)
        if self.fault and (self.fault.status or self.fault.body):
            return self._answer(self.fault.status or 200, self.fault.body)
        path = unquote(urlsplit(self.path).path)
        if path.startswith("/large/"):
            content = self.hub.large(path.removeprefix("/large/"))
            return (
                self._fail(404, "EntryNotFound") if content is None else self._ranged(content, {})
            )
        if match := _API.fullmatch(path):
            return self._api(**match.groupdict())
        if match := _FILE.fullmatch(path):
            return self._file(**match.groupdict())
        return self._fail(404, None)

    do_HEAD = do_GET
    do_POST = do_GET

    def _commit(
        self, kind: str, name: str, revision: str | None
    ) -> tuple[str, dict[str, bytes]] | None:
        """The sha and the files of a revision; if there is none, the answer has been given."""
        repository = self.hub.repositories.get((kind, name))
        if repository is None:
            # the hub does not tell strangers whether a repository is private or missing
            return self._fail(401, "RepoNotFound")
        sha = repository.resolve(revision)
        return (
            self._fail(404, "RevisionNotFound") if sha is None else (sha, repository.commits[sha])
        )

    def _api(self, kind: str, name: str, what: str | None, revision: str | None) -> None:
        if (found := self._commit(kind, name, revision)) is None:
            return
        sha, files = found
        if what in (None, "revision"):
            siblings = [{"rfilename": path} for path in files]
            about = {
                "_id": sha[:24],
                "id": name,
                "sha": sha,
                "private": False,
                "gated": False,
                "disabled": False,
                "siblings": siblings,
            }
            return self._answer(
                200, json.dumps(about | {"tags": [], "downloads": 0, "likes": 0}).encode()
            )
        if what == "paths-info":
            asked = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())["paths"]
            files = {path: content for path, content in files.items() if path in asked}
        entries = [self._entry(path, content) for path, content in files.items()]
        if what == "tree":
            folders = sorted({path.rsplit("/", 1)[0] for path in files if "/" in path})
            entries += [
                {"type": "directory", "path": folder, "oid": _git_sha(folder.encode()), "size": 0}
                for folder in folders
            ]
        return self._answer(200, json.dumps(entries).encode())

    def _entry(self, path: str, content: bytes) -> dict:
        entry = {"type": "file", "path": path, "size": len(content), "oid": _git_sha(content)}
        if _LARGE.search(path):
            entry["lfs"] = {
                "oid": hashlib.sha256(content).hexdigest(),
                "size": len(content),
                "pointerSize": 134,
            }
        return entry

    def _file(self, kind: str | None, name: str, revision: str, path: str) -> None:
        if (found := self._commit("datasets" if kind else "models", name, revision)) is None:
            return
        sha, files = found
        if path not in files:
            return self._fail(404, "EntryNotFound", {"X-Repo-Commit": sha})
        content = files[path]
        if not _LARGE.search(path):
            return self._ranged(content, {"X-Repo-Commit": sha, "ETag": f'"{_git_sha(content)}"'})
        digest = hashlib.sha256(content).hexdigest()
        headers = {
            "Location": f"http://localhost:{self.hub.port}/large/{digest}",
            "X-Repo-Commit": sha,
            "X-Linked-Etag": f'"{digest}"',
            "X-Linked-Size": str(len(content)),
        }
        return self._answer(302, b"", headers)

    def _ranged(self, content: bytes, headers: dict[str, str]) -> None:
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if not asked:
            return self._answer(200, content, headers | {"Accept-Ranges": "bytes"})
        start, end = int(asked[1]), min(int(asked[2] or len(content)), len(content) - 1)
        where = {"Content-Range": f"bytes {start}-{end}/{len(content)}"}
        return self._answer(206, content[start : end + 1], headers | where)

    def _fail(self, status: int, code: str | None, headers: dict[str, str] | None = None) -> None:
        self._answer(status, b"{}", (headers or {}) | ({"X-Error-Code": code} if code else {}))

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        sent = body
        if self.fault and (self.fault.cut or self.fault.short):
            sent = body[: len(body) // 2]
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header(
            "Content-Length", str(len(sent if self.fault and self.fault.short else body))
        )
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(sent)
