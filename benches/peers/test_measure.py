"""Whether measure.py counts honestly, on a peer whose faults are chosen.

Run with the environment of the peers: `python -m unittest discover benches/peers`.
"""

import contextlib
import http.server
import json
import os
import pathlib
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

import measure

SPANS = 5


def batch(number):
    request = ExportTraceServiceRequest()
    spans = request.resource_spans.add().scope_spans.add().spans
    for i in range(SPANS):
        spans.add(trace_id=number.to_bytes(16, "big"), span_id=(number * SPANS + i + 1).to_bytes(8, "big"), name="s")
    return request.SerializeToString()


def serve(fault, port):
    """The peer: acknowledges at once and stores a little later, as Phoenix does."""
    database = sqlite3.connect("fake.db", check_same_thread=False)
    database.execute("CREATE TABLE spans (id TEXT)")
    database.commit()
    lock = threading.Lock()
    seen = {"posts": 0}

    def store(body):
        time.sleep(0.2)
        request = ExportTraceServiceRequest.FromString(body)
        ids = [s.span_id.hex() for r in request.resource_spans for c in r.scope_spans for s in c.spans]
        with lock:
            if fault == "loses":
                ids = ids[1:]
            database.executemany("INSERT INTO spans VALUES (?)", [(i,) for i in ids])
            database.commit()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self, status, body=b""):
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self):
            with lock:
                ids = [i for (i,) in database.execute("SELECT id FROM spans")]
            if fault == "hides":
                ids = ids[1:]
            self.answer(200, json.dumps(ids).encode())

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            seen["posts"] += 1
            if fault == "dies":
                print("something broke", flush=True)
                os._exit(3)
            if fault == "refuses":
                return self.answer(400, b"not like this")
            if fault == "busy" and seen["posts"] % 2:
                return self.answer(503)
            threading.Thread(target=store, args=(body,)).start()
            self.answer(200)

    http.server.ThreadingHTTPServer((measure.HOST, port), Handler).serve_forever()


def fake(fault):
    class Fake:
        name, package, headers, ready_path, database, environment = "Fake", "pip", {}, "/", "fake.db", {}

        @staticmethod
        def command(programs, port):
            return [sys.executable, __file__, fault, str(port)]

        @staticmethod
        def ids(client):
            return {bytes.fromhex(i) for i in client.json("GET", "/")}

    return Fake


class Measure(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        for number in range(6):
            (self.folder / f"{number}.pb").write_bytes(batch(number))

    def measure(self, fault, timeout=20):
        return measure.measure(fake(fault), measure.Batches(self.folder), 1, 2, timeout)

    def assert_fails(self, fault, words, timeout=20):
        with self.assertRaises(measure.Failure) as failure:
            self.measure(fault, timeout)
        self.assertIn(words, str(failure.exception))

    def test_the_clock_stops_when_all_is_stored_and_not_when_it_is_acknowledged(self):
        figures = self.measure("none")
        self.assertEqual(figures["spans"], 5 * SPANS)
        self.assertEqual(figures["refused"], 0)
        self.assertGreaterEqual(figures["stored_seconds"], 0.2)
        self.assertLess(figures["acknowledged_seconds"], figures["stored_seconds"])
        self.assertAlmostEqual(figures["spans_per_second"], 25 / figures["stored_seconds"], delta=1)

    def test_what_a_busy_peer_refuses_is_sent_again(self):
        figures = self.measure("busy")
        self.assertEqual(figures["spans"], 5 * SPANS)
        self.assertGreaterEqual(figures["refused"], 5)

    def test_a_peer_that_loses_spans_has_no_figure(self):
        self.assert_fails("loses", "storing (4 of 5 spans)", timeout=3)

    def test_a_peer_whose_api_hides_a_span_has_no_figure(self):
        self.assert_fails("hides", "does not give 1 of 30 spans")

    def test_a_peer_that_refuses_is_quoted(self):
        self.assert_fails("refuses", "400: b'not like this'")

    def test_a_peer_that_dies_is_told_with_its_log(self):
        self.assert_fails("dies", "something broke")

    def test_nothing_is_left_running(self):
        self.measure("none")
        listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
        self.assertNotIn(f"{__file__} none", listed)

    def test_batches_that_are_none_are_refused(self):
        for name, content in (("bytes", b"\xff\xff"), ("empty", b""), ("twice", batch(0))):
            file = self.folder / f"{name}.pb"
            file.write_bytes(content)
            with self.subTest(name), self.assertRaises(measure.Failure):
                measure.Batches(self.folder)
            file.unlink()

    def test_options_that_make_no_sense_end_in_words(self):
        for options in (["--warm-up", "6"], ["--warm-up", "0"], ["--connections", "0"]):
            script = pathlib.Path(measure.__file__)
            ended = subprocess.run(
                [sys.executable, script, "mlflow", self.folder, *options], capture_output=True, text=True
            )
            with self.subTest(options):
                self.assertEqual((ended.returncode, ended.stdout), (1, ""))
                self.assertTrue(ended.stderr.startswith("error: "), ended.stderr)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        serve(sys.argv[1], int(sys.argv[2]))
