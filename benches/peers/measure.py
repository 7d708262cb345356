#!/usr/bin/env python3
"""Measures how many spans a second a peer of Steward stores.

Starts the peer with the storage that it has by default, SQLite in an empty folder, sends it files of OTLP/HTTP
protobuf over a few connections, and stops the clock when its database holds every span. Then it reads all of them
back through the peer's own API: a span that cannot be asked for does not count.

The clock starts after the peer has stored a few batches, so that neither its start nor its first requests count
against it. Prints one line of JSON.
"""

import argparse
import base64
import contextlib
import http.client
import importlib.metadata
import json
import os
import pathlib
import queue
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

HOST = "127.0.0.1"
# Answers after which an OTLP sender may send the same again.
TRY_AGAIN = {429, 500, 502, 503, 504}
# How much of a peer's log is shown when it fails.
LOG_TAIL_BYTES = 2_000


class Failure(Exception):
    """What went wrong, in words for the person at the terminal."""


class Deadline:
    """The instant by which all must be done."""

    def __init__(self, seconds):
        self.seconds = seconds
        self.at = time.monotonic() + seconds

    def check(self, doing):
        if time.monotonic() > self.at:
            raise Failure(f"{doing} was not done after {self.seconds} s: give it more with --timeout")


class Client:
    """One connection that stays open, and is opened again when the peer closes it."""

    def __init__(self, port, deadline):
        self.deadline = deadline
        self.connection = http.client.HTTPConnection(HOST, port, timeout=60)

    def request(self, method, path, body=None, headers=None):
        for fresh in (False, True):
            try:
                self.connection.request(method, path, body, headers or {})
                answer = self.connection.getresponse()
                return answer.status, answer.read()
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                self.connection.close()
                if fresh:
                    raise

    def json(self, method, path, value=None):
        self.deadline.check("reading spans back")
        body = None if value is None else json.dumps(value)
        status, answer = self.request(method, path, body, {"Content-Type": "application/json"})
        if status != 200:
            raise Failure(f"{method} {path} was answered with {status}: {answer[:300]!r}")
        return json.loads(answer)

    def close(self):
        self.connection.close()


class MLflow:
    """The tracking server of MLflow."""

    name = "MLflow"
    package = "mlflow"
    headers = {"x-mlflow-experiment-id": "0"}
    ready_path = "/health"
    database = "mlflow.db"
    environment = {"MLFLOW_DISABLE_TELEMETRY": "true"}

    @staticmethod
    def command(programs, port):
        return [programs / "mlflow", "server", "--host", HOST, "--port", str(port)]

    @staticmethod
    def ids(client):
        """The ids of all spans, as its API gives them."""
        location = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "0"}}
        query = {"locations": [location], "max_results": 500}
        traces = []
        while True:
            page = client.json("POST", "/api/3.0/mlflow/traces/search", query)
            traces += [trace["trace_id"] for trace in page.get("traces", [])]
            if not page.get("next_page_token"):
                break
            query["page_token"] = page["next_page_token"]
        found = set()
        for start in range(0, len(traces), 10):
            wanted = urllib.parse.urlencode([("trace_ids", trace) for trace in traces[start : start + 10]])
            page = client.json("GET", f"/api/3.0/mlflow/traces/batchGet?{wanted}")
            for trace in page.get("traces", []):
                found.update(base64.b64decode(span["span_id"]) for span in trace["spans"])
        return found


class Phoenix:
    """Arize Phoenix."""

    name = "Arize Phoenix"
    package = "arize-phoenix"
    headers = {}
    ready_path = "/readyz"
    database = "phoenix.db"
    environment = {"PHOENIX_TELEMETRY_ENABLED": "false"}

    @staticmethod
    def command(programs, port):
        return [
            "env",
            f"PHOENIX_HOST={HOST}",
            f"PHOENIX_PORT={port}",
            f"PHOENIX_GRPC_PORT={free_port()}",
            "PHOENIX_WORKING_DIR=.",
            programs / "phoenix",
            "serve",
        ]

    @staticmethod
    def ids(client):
        """The ids of all spans, as its API gives them."""
        found = set()
        cursor = None
        while True:
            after = f"&cursor={urllib.parse.quote(cursor)}" if cursor else ""
            page = client.json("GET", f"/v1/projects/default/spans?limit=1000{after}")
            found.update(bytes.fromhex(span["context"]["span_id"]) for span in page["data"])
            cursor = page.get("next_cursor")
            if not cursor:
                return found


PEERS = {"mlflow": MLflow, "phoenix": Phoenix}


class Batches:
    """Files of OTLP/HTTP protobuf, and the ids of the spans in them."""

    def __init__(self, folder):
        files = sorted(folder.glob("*.pb"))
        self.bodies = [file.read_bytes() for file in files]
        self.ids = [span_ids(file, body) for file, body in zip(files, self.bodies)]
        together = sum(len(ids) for ids in self.ids)
        if len(set().union(*self.ids)) != together:
            raise Failure(f"the batches in {folder} share span ids, which Phoenix takes for one span")

    def __len__(self):
        return len(self.bodies)


def span_ids(file, body):
    """The ids of the spans in a batch."""
    request = ExportTraceServiceRequest()
    try:
        request.ParseFromString(body)
    except Exception as error:
        raise Failure(f"{file} is not an OTLP request: {error}") from error
    scopes = [scope for resource in request.resource_spans for scope in resource.scope_spans]
    ids = [span.span_id for scope in scopes for span in scope.spans]
    if not ids or len(set(ids)) != len(ids):
        raise Failure(f"{file} has no spans, or two of one id")
    return set(ids)


def free_port():
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        return listener.getsockname()[1]


@contextlib.contextmanager
def running(peer, folder, port, deadline):
    """The peer, from when it answers until the block is left."""
    programs = pathlib.Path(sys.executable).parent
    # Nothing that is set for the person at the terminal reaches the peer.
    environment = {"PATH": f"{programs}:/usr/bin:/bin", "HOME": str(folder), "LANG": "C.UTF-8", "DO_NOT_TRACK": "1"}
    environment |= peer.environment
    with open(folder / "log", "wb") as log:
        server = subprocess.Popen(
            peer.command(programs, port),
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        wait_until_ready(peer, server, port, deadline)
        yield
    except Exception as error:
        tail = (folder / "log").read_bytes()[-LOG_TAIL_BYTES:].decode(errors="replace")
        raise Failure(f"{peer.name}: {error}\nIts log ends with:\n{tail}") from error
    finally:
        stop(server)


def wait_until_ready(peer, server, port, deadline):
    while True:
        if server.poll() is not None:
            raise Failure(f"it ended with {server.returncode} before it was ready")
        client = Client(port, deadline)
        try:
            if client.request("GET", peer.ready_path)[0] == 200:
                return
        except OSError:
            pass
        finally:
            client.close()
        deadline.check("its start")
        time.sleep(0.2)


def stop(server):
    """Ends the server and the workers that it started."""
    for how, patience in ((signal.SIGTERM, 15), (signal.SIGKILL, 15)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, how)
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(patience)
    # Both signals go to the whole group: a worker may outlive the process that was waited for.


def send(peer, port, bodies, connections, deadline):
    """Sends each body until it is acknowledged. Gives back how many answers were refusals."""
    waiting = queue.SimpleQueue()
    for body in bodies:
        waiting.put(body)
    headers = {"Content-Type": "application/x-protobuf"} | peer.headers
    refused, failures = [], []

    def sender():
        client = Client(port, deadline)
        try:
            while not failures:
                body = waiting.get_nowait()
                pause = 0.05
                while True:
                    status, answer = client.request("POST", "/v1/traces", body, headers)
                    if status == 200:
                        break
                    if status not in TRY_AGAIN:
                        raise Failure(f"a batch was answered with {status}: {answer[:300]!r}")
                    refused.append(status)
                    deadline.check("sending")
                    time.sleep(pause)
                    pause = min(pause * 2, 2.0)
        except queue.Empty:
            pass
        except Exception as error:
            failures.append(error)
        finally:
            client.close()

    threads = [threading.Thread(target=sender) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return len(refused)


def wait_until_stored(peer, folder, spans, deadline):
    """Waits until the database holds so many spans. It is only read, and a look takes it next to nothing."""
    database = sqlite3.connect(f"file:{folder / peer.database}?mode=ro", uri=True, timeout=30)
    with contextlib.closing(database):
        while True:
            (stored,) = database.execute("SELECT count(*) FROM spans").fetchone()
            if stored >= spans:
                return
            deadline.check(f"storing ({stored} of {spans} spans)")
            time.sleep(0.05)


def measure(peer, batches, warm_up, connections, timeout):
    """Measures one peer once."""
    deadline = Deadline(timeout)
    first, rest = batches.bodies[:warm_up], batches.bodies[warm_up:]
    n_first = sum(len(ids) for ids in batches.ids[:warm_up])
    n_rest = sum(len(ids) for ids in batches.ids[warm_up:])
    with tempfile.TemporaryDirectory(prefix="steward-peer-", ignore_cleanup_errors=True) as name:
        folder = pathlib.Path(name)
        port = free_port()
        with running(peer, folder, port, deadline):
            send(peer, port, first, connections, deadline)
            wait_until_stored(peer, folder, n_first, deadline)
            started = time.monotonic()
            refused = send(peer, port, rest, connections, deadline)
            acknowledged = time.monotonic()
            wait_until_stored(peer, folder, n_first + n_rest, deadline)
            stored = time.monotonic()
            client = Client(port, deadline)
            found = peer.ids(client)
            client.close()
            missing = set().union(*batches.ids) - found
            if missing:
                raise Failure(f"its API does not give {len(missing)} of {n_first + n_rest} spans")
    return {
        "peer": peer.name,
        "version": importlib.metadata.version(peer.package),
        "spans": n_rest,
        "connections": connections,
        "refused": refused,
        "acknowledged_seconds": round(acknowledged - started, 3),
        "stored_seconds": round(stored - started, 3),
        "acknowledged_per_second": round(n_rest / (acknowledged - started), 1),
        "spans_per_second": round(n_rest / (stored - started), 1),
    }


def main():
    parser = argparse.ArgumentParser(description="Measures how many spans a second a peer of Steward stores.")
    parser.add_argument("peer", choices=sorted(PEERS))
    parser.add_argument("folder", type=pathlib.Path, help="batches, as `steward-bench batches` writes them")
    parser.add_argument("--warm-up", type=int, default=8, help="batches sent before the clock starts (8)")
    parser.add_argument("--connections", type=int, default=4, help="connections to send over (4)")
    parser.add_argument("--timeout", type=float, default=500, help="seconds for all of it (500)")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        if arguments.connections < 1 or arguments.warm_up < 1:
            raise Failure("--connections and --warm-up are at least 1")
        batches = Batches(arguments.folder)
        if len(batches) <= arguments.warm_up:
            raise Failure(f"{arguments.folder} has {len(batches)} batches: more than {arguments.warm_up} are needed")
        peer = PEERS[arguments.peer]
        print(json.dumps(measure(peer, batches, arguments.warm_up, arguments.connections, arguments.timeout)))
    except Failure as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
