"""A command -> a fork of a process that has imported torch and friends already, so that `zoo` starts in no time.

As a server, `python zoo_server.py SOCKET`, it answers every connection with a child of its own: the caller's words,
environment, folder and standard streams, a fresh registry, an exit code. As a client, `python zoo_server.py SOCKET zoo
list` or `python zoo_server.py SOCKET python CODE`, it hands its own over and ends as the child ends. What a command
leaves behind in memory dies with its process, as on a user's machine.
"""

import json
import os
import signal
import socket
import sys

PRELOADED = (
    "hydra", "lightning", "matplotlib.pyplot", "numba", "pandas", "pysam", "scipy.stats", "sklearn.linear_model",
    "sklearn.metrics", "torch", "zoo.cli.main",
)  # fmt: skip


def serve(path):
    """Import, bind `path`, say "ready", and fork until the pipe on stdin closes with the one who started it."""
    from importlib import import_module
    from select import select

    for name in PRELOADED:
        import_module(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the children: their callers read their codes
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()
        print("ready", flush=True)
        while sys.stdin not in select([server, sys.stdin], [], [])[0]:
            connection, _ = server.accept()
            if os.fork() == 0:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                server.close()
                answer(connection)
            connection.close()


def answer(connection):
    """Be the command that the connection describes; never returns."""
    request, streams, _, _ = socket.recv_fds(connection, 1 << 20, 3)
    for ours, theirs in enumerate(streams):
        os.dup2(theirs, ours)
        os.close(theirs)
    asked = json.loads(request)
    os.environ.clear()
    os.environ.update(asked["env"])
    os.chdir(asked["cwd"])
    kind, *arguments = asked["command"]
    code = 1
    try:
        sys.argv = [kind, *arguments]
        code = run(kind, arguments)
    except SystemExit as ending:
        code = ending.code if isinstance(ending.code, int) else int(ending.code is not None)
    except BaseException:
        import traceback

        traceback.print_exc()
    connection.sendall(bytes([code]))
    sys.exit(code)


def run(kind, arguments):
    if kind == "zoo":
        from zoo.cli.main import main

        return main(arguments)
    sys.path.insert(0, "")
    exec(compile(arguments[0], "<guide>", "exec"), {"__name__": "__main__"})
    return 0


def ask(path, command):
    """Have `command` run with this process's streams; returns its exit code."""
    request = json.dumps({"command": command, "env": dict(os.environ), "cwd": os.getcwd()}).encode()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        socket.send_fds(connection, [request], [0, 1, 2])
        code = connection.recv(1)
        connection.recv(1)  # nothing comes: the child is gone
    return code[0] if code else 70


if __name__ == "__main__":
    _, address, *words = sys.argv
    sys.exit(ask(address, words) if words else serve(address))
