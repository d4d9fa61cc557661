"""A small server on loopback that speaks as much of the Hugging Face protocol as the real client needs.

    with serve() as hub:
        os.environ["HF_ENDPOINT"] = hub.endpoint

Repositories live in memory.  Files above `lfs_above` bytes travel by git-lfs, as large ones do, the others inside
the commit.  Knobs spoil single answers: `cut` drops the line, `corrupt` sends other bytes, `down` answers 503,
`trickle` sends a byte at a time, `endless` never stops.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

__all__ = ["Hub", "Repository", "serve"]

Files = dict[str, bytes]


@dataclass
class Repository:
    """Commits by hash; `heads` and `tags` name some of them."""

    private: bool = False
    commits: dict[str, Files] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)
    titles: list[str] = field(default_factory=list)

    def commit(self, files: Files, title: str) -> str:
        """Make `files` the new main and return its hash."""
        listing = "".join(f"{path} {hashlib.sha256(raw).hexdigest()}\n" for path, raw in sorted(files.items()))
        sha = hashlib.sha1(f"{self.refs.get('main')}\n{title}\n{listing}".encode()).hexdigest()
        self.commits[sha] = dict(files)
        self.refs["main"] = sha
        self.titles.append(title)
        return sha

    def resolve(self, revision: str) -> str | None:
        """Hash of a branch, a tag or a hash."""
        return self.refs.get(revision, revision if revision in self.commits else None)


@dataclass
class Hub:
    """State of the server, and the knobs that tests turn.

    cut: {path: bytes after which the line is dropped}, each once, or for ever where `cut_always` is set.
    corrupt: {path: bytes to send in place of the true ones}.
    trickle: parts of paths, of API calls too, whose answers come a byte every 50 ms.
    endless: parts of paths whose answers say no length and go on for `most_endless` bytes; `sent` counts them.
    """

    repositories: dict[str, Repository] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)
    endpoint: str = ""
    token: str | None = None
    lfs_above: int = 1 << 10
    cut: dict[str, int] = field(default_factory=dict)
    cut_always: bool = False
    corrupt: dict[str, bytes] = field(default_factory=dict)
    down: bool = False
    trickle: set[str] = field(default_factory=set)
    endless: set[str] = field(default_factory=set)
    most_endless: int = 1 << 28
    sent: int = 0
    requests: list[str] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)


@contextmanager
def serve(**knobs):
    """A running `Hub`, stopped when the block ends."""
    hub = Hub(**knobs)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub}))
    server.daemon_threads = True
    hub.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def log_message(self, *args):
        self.hub.requests.append(f"{self.command} {self.path}")

    def answer_any(self):
        try:
            body = self._body()
            if self.hub.down:
                return self._answer(503, {"error": "down"})
            path = unquote(urlsplit(self.path).path)
            if any(part in path for part in (*self.hub.trickle, *self.hub.endless)):
                return self._spoil(any(part in path for part in self.hub.trickle))
            for pattern, method in _ROUTES:
                if match := re.fullmatch(pattern, path):
                    return getattr(self, method)(body, **match.groupdict())
            self._answer(200 if path == "/" else 404, {"error": f"no route {path}"})
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    do_GET = do_HEAD = do_POST = do_PUT = answer_any

    def _spoil(self, slowly):
        self.close_connection = True
        self.send_response(200)
        self.end_headers()
        piece = b" " if slowly else b" " * (1 << 16)
        while self.hub.sent < self.hub.most_endless:
            self.wfile.write(piece)
            self.hub.sent += len(piece)
            if slowly:
                time.sleep(0.05)

    def create(self, body):
        wanted = json.loads(body)
        name = f"{wanted.get('organization') or 'me'}/{wanted['name']}"
        if not self._may_write():
            return None
        with self.hub.lock:
            if name in self.hub.repositories:
                return self._answer(409, {"error": "exists", "url": f"{self.hub.endpoint}/{name}"})
            repository = self.hub.repositories[name] = Repository(wanted.get("visibility") == "private")
            repository.commit({".gitattributes": b"*.safetensors filter=lfs\n"}, "initial commit")
        self._answer(200, {"url": f"{self.hub.endpoint}/{name}", "id": name})

    def check_card(self, body):
        self._answer(200, {"errors": [], "warnings": []})

    def list_all(self, body):
        author = re.search(r"author=([^&]+)", self.path)
        names = [n for n in sorted(self.hub.repositories) if not author or n.startswith(author[1] + "/")]
        self._answer(200, [self._info(n, self.hub.repositories[n].refs["main"]) for n in names])

    def info(self, body, name, revision="main"):
        if sha := self._resolve(name, revision):
            self._answer(200, self._info(name, sha))

    def plan_upload(self, body, name):
        if self._resolve(name, "main") and self._may_write():
            files = json.loads(body)["files"]
            modes = {f["path"]: "lfs" if f["size"] > self.hub.lfs_above else "regular" for f in files}
            plan = [{"path": p, "uploadMode": m, "shouldIgnore": False, "oid": None} for p, m in modes.items()]
            self._answer(200, {"files": plan})

    def plan_objects(self, body, name):
        objects = []
        for wanted in json.loads(body)["objects"]:
            entry = {"oid": wanted["oid"], "size": wanted["size"]}
            if wanted["oid"] not in self.hub.objects:
                href = f"{self.hub.endpoint}/objects/{wanted['oid']}"
                entry["actions"] = {"upload": {"href": href, "header": {}}}
            objects.append(entry)
        self._answer(200, {"transfer": "basic", "objects": objects})

    def put_object(self, body, oid):
        if hashlib.sha256(body).hexdigest() != oid:
            return self._answer(422, {"error": "sha256 differs"})
        self.hub.objects[oid] = body
        return self._answer(200, {})

    def commit(self, body, name):
        if not self._resolve(name, "main") or not self._may_write():
            return
        repository = self.hub.repositories[name]
        title = "commit"
        with self.hub.lock:
            files = dict(repository.commits[repository.refs["main"]])
            for line in filter(None, body.splitlines()):
                operation = json.loads(line)
                value = operation["value"]
                match operation["key"]:
                    case "header":
                        title = value["summary"]
                        if value.get("parentCommit", repository.refs["main"]) != repository.refs["main"]:
                            return self._answer(412, {"error": "a commit has happened since"})
                    case "file":
                        files[value["path"]] = base64.b64decode(value["content"])
                    case "lfsFile":
                        files[value["path"]] = self.hub.objects[value["oid"]]
                    case "deletedFile":
                        del files[value["path"]]
            sha = repository.commit(files, title)
        self._answer(200, {"success": True, "commitOid": sha, "commitUrl": f"{self.hub.endpoint}/{name}/commit/{sha}"})

    def download(self, body, name, revision, path):
        sha = self._resolve(name, revision)
        if sha is None:
            return
        raw = self.hub.repositories[name].commits[sha].get(path)
        if raw is None:
            return self._answer(404, {"error": "no entry"}, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": sha})
        tag = hashlib.sha256(raw).hexdigest()
        raw = self.hub.corrupt.get(path, raw)
        headers = {"X-Repo-Commit": sha, "ETag": f'"{tag}"', "Accept-Ranges": "bytes"}
        start = re.match(r"bytes=(\d+)-", self.headers.get("Range") or "")
        first = int(start[1]) if start else 0
        if start:
            headers["Content-Range"] = f"bytes {first}-{len(raw) - 1}/{len(raw)}"
        self.send_response(206 if start else 200)
        for key, value in {**headers, "Content-Length": str(len(raw) - first)}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        most = self.hub.cut.get(path) if self.hub.cut_always else self.hub.cut.pop(path, None)
        self.wfile.write(raw[first:] if most is None else raw[first : first + most])
        if most is not None:
            self.close_connection = True

    def _info(self, name, sha):
        repository = self.hub.repositories[name]
        files = [{"rfilename": path} for path in sorted(repository.commits[sha])]
        return {"id": name, "sha": sha, "private": repository.private, "tags": [], "siblings": files}

    def _resolve(self, name, revision):
        """Hash of a revision, or None after having answered 404."""
        repository = self.hub.repositories.get(name)
        allowed = repository is not None and (not repository.private or self._authorised())
        sha = repository.resolve(revision) if allowed else None
        if sha is None:
            code = "RevisionNotFound" if allowed else "RepoNotFound"
            self._answer(404, {"error": code}, {"X-Error-Code": code, "X-Error-Message": code})
        return sha

    def _may_write(self):
        if self._authorised():
            return True
        self._answer(401, {"error": "Invalid credentials"})
        return False

    def _authorised(self):
        return self.hub.token is None or self.headers.get("Authorization") == f"Bearer {self.hub.token}"

    def _body(self):
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        chunks = []
        while size := int(self.rfile.readline().strip() or b"0", 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _answer(self, status, content, headers=()):
        raw = json.dumps(content).encode()
        self.send_response(status)
        for key, value in {
            "Content-Type": "application/json",
            "Content-Length": str(len(raw)),
            **dict(headers),
        }.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(raw)


_NAME = r"(?P<name>[^/]+/[^/]+)"
_ROUTES = (
    (r"/api/repos/create", "create"),
    (r"/api/validate-yaml", "check_card"),
    (r"/api/models", "list_all"),
    (rf"/api/models/{_NAME}", "info"),
    (rf"/api/models/{_NAME}/revision/(?P<revision>[^/]+)", "info"),
    (rf"/api/models/{_NAME}/preupload/main", "plan_upload"),
    (rf"/api/models/{_NAME}/commit/main", "commit"),
    (rf"/{_NAME}\.git/info/lfs/objects/batch", "plan_objects"),
    (r"/objects/(?P<oid>[0-9a-f]{64})", "put_object"),
    (rf"/{_NAME}/resolve/(?P<revision>[^/]+)/(?P<path>.+)", "download"),
)
