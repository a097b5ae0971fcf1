#!/usr/bin/env bash
# npm prism-media 1.3.5: an Ogg Opus file whose comments fill more than a page (a cover picture) gives not one packet.
set -euo pipefail
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && cd "$work"
npm init -y >/dev/null && npm install --silent --ignore-scripts --no-audit --no-fund prism-media@1.3.5 || exit 2
python3 -m venv v && v/bin/pip install -q --disable-pip-version-check av==18.1.0 numpy 2>pip.log || { cat pip.log; exit 2; }
cat > file.py <<'PY'
import sys

import av
import numpy as np

def write(path, comment):
    with av.open(path, "w", format="ogg") as file:
        file.metadata["comment"] = comment
        stream = file.add_stream("libopus", rate=48000, layout="mono")
        tone = np.round(8000 * np.sin(2 * np.pi * 300 * np.arange(96000) / 48000)).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(tone.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = 48000
        for packet in [*stream.encode(frame), *stream.encode()]:
            file.mux(packet)

def read(path):
    with av.open(path) as file:
        return sum(frame.samples for frame in file.decode(audio=0)) / 48000

for length in (1000, 70000):
    write(f"{length}.opus", "a" * length)
    print(length, read(f"{length}.opus"), av.__version__)
PY
cat > show.js <<'JS'
const { createReadStream, readFileSync } = require("node:fs");
const prism = require("prism-media");
const { version } = JSON.parse(readFileSync("node_modules/prism-media/package.json", "utf8"));
const demux = (path) => new Promise((done) => {
  let packets = 0, error = "no error";
  const demuxer = createReadStream(path).pipe(new prism.opus.OggDemuxer());
  demuxer.on("data", () => packets++).on("error", ({ message }) => { error = message; }).on("end", () => done([packets, error]));
});
(async () => {
  const files = readFileSync("files.txt", "utf8").trim().split("\n").map((line) => line.split(" "));
  console.log(`prism-media ${version}, PyAV ${files[0][2]}, node ${process.version}`);
  console.log("A page of Ogg that ends within a packet is taken for one of which not all has arrived. The demuxer waits for the rest");
  console.log("until the file ends, and gives not one packet and no error: a bot plays nothing, and what is meant to be transcribed is");
  console.log("an empty stream. Such a page is common, since a cover picture stands among the comments.");
  const seen = [];
  for (const [length, seconds] of files) {
    const [packets, error] = await demux(`${length}.opus`);
    seen.push(packets > 90, Number(seconds) > 1.9);
    console.log(`2 s behind ${length} bytes of comments, as ffmpeg's libraries write it: prism-media ${packets} packets of 20 ms (${error}); read again by ffmpeg's libraries ${seconds} s`);
  }
  process.exit(seen.join() === "true,true,false,true" ? 0 : 1);
})();
JS
v/bin/python file.py > files.txt && node show.js
