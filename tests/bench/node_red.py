"""Measures how fast hooksd accepts, beside the `http in` node of Node-RED that verifies the same signature.

    python -m tests.bench.node_red [--seconds 2] [--rounds 3]

Node-RED stores nothing. It is the `node-red` of the machine, or is installed by npm into a directory that is deleted
afterwards (280 packages, 20 seconds); where neither can be had, this says so and ends. Everything else is as in
`tests.bench`.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.bench import __main__ as bench
from tests.bench import apart, load, servers
from tests.bench.payload import SECRET
from tests.bench.servers import Server

INSTALL_SECONDS = 300
GOAL = 4.0

SETTINGS = """
module.exports = {
  uiHost: "127.0.0.1", uiPort: %d, httpAdminRoot: false, flowFile: "flows.json", credentialSecret: false,
  functionGlobalContext: { crypto: require("crypto") },
  logging: { console: { level: "error", metrics: false, audit: false } },
}
"""
CHECK = """
const crypto = global.get("crypto")
const wanted = Buffer.from("sha256=" + crypto.createHmac("sha256", %s).update(msg.payload).digest("hex"))
const given = Buffer.from(msg.req.headers["x-hub-signature-256"] || "")
const holds = given.length === wanted.length && crypto.timingSafeEqual(given, wanted)
msg.statusCode = holds ? 202 : 401
msg.payload = { accepted: holds }
return msg
"""


def flow() -> list[dict[str, object]]:
    """Return a webhook that verifies the bytes that came, as a user would draw it."""
    return [
        {"id": "t", "type": "tab", "label": "bench"},
        {"id": "in", "z": "t", "type": "http in", "url": "/hooks/push", "method": "post", "upload": False,
         "skipBodyParsing": True, "wires": [["check"]]},
        {"id": "check", "z": "t", "type": "function", "func": CHECK % json.dumps(SECRET), "outputs": 1,
         "wires": [["out"]]},
        {"id": "out", "z": "t", "type": "http response", "wires": []},
    ]  # fmt: skip


def node_red(program: str, nodes: list[dict[str, object]]) -> Server:
    """Return Node-RED with one flow and without its editor."""

    def prepare(directory: Path, port: int) -> list[str]:
        (directory / "settings.js").write_text(SETTINGS % port)
        (directory / "flows.json").write_text(json.dumps(nodes))
        return [program, "--userDir", str(directory), "--settings", str(directory / "settings.js")]

    return Server(name="Node-RED", path="/hooks/push", prepare=prepare)


def installed(directory: Path) -> str:
    """Return the program, installed if need be.

    Raises:
        SystemExit: It cannot be had.
    """
    if found := shutil.which("node-red"):
        return found
    if shutil.which("npm") is None:
        raise SystemExit("Node-RED cannot be measured: neither node-red nor npm is installed")
    command = ["npm", "install", "--no-audit", "--no-fund", "--loglevel=error", "--prefix", str(directory), "node-red"]
    try:
        done = subprocess.run(command, timeout=INSTALL_SECONDS, capture_output=True, text=True, check=False)
    except subprocess.TimeoutExpired as error:
        raise SystemExit(f"Node-RED cannot be measured: npm has not installed it in {INSTALL_SECONDS} s") from error
    if done.returncode:
        raise SystemExit(f"Node-RED cannot be measured: npm does not install it: {done.stderr.strip()}")
    return str(directory / "node_modules" / ".bin" / "node-red")


def main() -> None:
    """Measure both and print the ratio."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.node_red", description="Compare with Node-RED.")
    parser.add_argument("--seconds", type=int, default=2, help="of load for one figure")
    parser.add_argument("--rounds", type=int, default=3, help="whose median is shown")
    given = parser.parse_args()
    if absent := load.missing():
        sys.exit(f"install {' and '.join(absent)} first")
    if (os.cpu_count() or 1) < 2:
        sys.exit("two cores are needed: one for the server, one for wrk")
    with tempfile.TemporaryDirectory(prefix="hooksd-bench-") as directory:
        program = installed(Path(directory))
        said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True, timeout=60).stdout
        bench.say(", ".join([bench.about(), *said.splitlines()[:2]]))
        table = bench.Table(
            title="1 KB, workflow by event type",
            size=1024,
            servers=(
                servers.hooksd("hooksd", bench.OTHER_TYPE, bench.NOTHING),
                apart.part(apart.LEAST, "least", 1024),
                node_red(program, flow()),
            ),
            ratios=(("hooksd", "Node-RED", GOAL), (apart.LEAST, "Node-RED", 0)),
        )
        bench.show(table, bench.measure(table, rounds=given.rounds, seconds=given.seconds))


if __name__ == "__main__":
    main()
