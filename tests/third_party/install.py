"""Install the clients of this folder, as they are in the registries, each into an environment of its own.

    python tests/third_party/install.py              # all of them, some 2 GB
    python tests/third_party/install.py pipecat node

They land in `~/.cache/sttdoctor/third_party` (or below `XDG_CACHE_HOME`), where the tests look for them. What is not
there is skipped. `cartesia-mcp` wants Python 3.13 or later; where `python3.13` is not found, it is left out.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

FOLDER = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "sttdoctor" / "third_party"

PYTHON = {
    "cartesia-2": "cartesia==2.0.17",
    "livekit": "livekit-plugins-cartesia==1.8.9",
    "pipecat": "pipecat-ai[cartesia]==1.14.0",
    "vision-agents": "vision-agents-plugins-cartesia==0.6.9",
    "cartesia-mcp": "cartesia-mcp==0.28.0",
}
NODE = {
    "@cartesia/cartesia-js": "4.2.0",
    "@livekit/agents": "1.8.1",
    "@livekit/agents-plugin-cartesia": "1.8.1",
    "@livekit/rtc-node": "0.13.35",
    "ws": "8.23.0",
}


def python_of(name: str) -> Path:
    """The interpreter of a client's environment."""
    return FOLDER / name / "bin" / "python"


def node_modules() -> Path:
    """Where the packages for Node are."""
    return FOLDER / "node" / "node_modules"


def _install_python(name: str) -> None:
    needs_newer = name == "cartesia-mcp" and sys.version_info < (3, 13)
    python = shutil.which("python3.13") if needs_newer else sys.executable
    if python is None:
        print(f"{name}: there is no python3.13; left out")
        return
    subprocess.run([python, "-m", "venv", FOLDER / name], check=True)
    subprocess.run([python_of(name), "-m", "pip", "install", "--quiet", PYTHON[name]], check=True)


def _install_node() -> None:
    folder = FOLDER / "node"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "package.json").write_text(json.dumps({"private": True, "dependencies": NODE}))
    subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", folder], check=True)


def main() -> int:
    """Install what the command line names, or everything; returns 1 where one cannot be."""
    failed = []
    for name in sys.argv[1:] or (*PYTHON, "node"):
        print(name, flush=True)
        try:
            _install_node() if name == "node" else _install_python(name)
        except (OSError, subprocess.CalledProcessError) as error:
            shutil.rmtree(FOLDER / name, ignore_errors=True)
            failed.append(f"{name} is not installed: {error}")
    print(*failed, sep="\n", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
