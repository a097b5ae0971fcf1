#!/usr/bin/env bash
# npm werift-rtp 0.8.9: one lost packet costs all that came in the 200 ms behind it, which the jitter buffer had in its hands.
# The package's README does not describe it; no report found.
set -euo pipefail
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && cd "$work"
npm init -y >/dev/null && npm install --silent --ignore-scripts --no-audit --no-fund werift-rtp@0.8.9 || exit 2
cat > show.mjs <<'JS'
import { readFileSync } from "node:fs";
import { RtpHeader, RtpPacket } from "werift-rtp";
import { JitterBufferBase } from "werift-rtp/extra";
const { version } = JSON.parse(readFileSync("node_modules/werift-rtp/package.json", "utf8"));
const FRAME = 960, COUNT = 500; // 20 ms at 48 kHz, as of Opus; ten seconds
const packet = (i) => new RtpPacket(new RtpHeader({ sequenceNumber: (65400 + i) & 0xffff, timestamp: i * FRAME, payloadType: 111, ssrc: 1 }), Buffer.of(i & 0xff));

/** Return which of the packets come out when those of `lost` never come in; the others come in order, each in its time. */
function play(lost, latency) {
  const buffer = new JitterBufferBase(48000, { latency }), out = [];
  for (let i = 0; i < COUNT; i++) if (!lost.includes(i)) for (const { rtp } of buffer.processInput({ rtp: packet(i) })) if (rtp) out.push(rtp.header.timestamp / FRAME);
  for (const { rtp } of buffer.processInput({ eol: true })) if (rtp) out.push(rtp.header.timestamp / FRAME);
  return out;
}
const missing = (out, lost) => Array.from({ length: COUNT }, (_, i) => i).filter((i) => !out.includes(i) && !lost.includes(i));
const whole = play([], 200), one = missing(play([100], 200), [100]), longer = missing(play([100], 500), [100]), five = [50, 130, 210, 290, 370];
const many = missing(play(five, 200), five);
console.log(`werift-rtp ${version}, node ${process.version}`);
console.log("While the buffer waits for a packet it keeps those that follow. When the wait (200 ms) is over, it gives out the oldest of them");
console.log("and the newest, and counts on from the newest: those between are behind that count, and never come. So a lost packet of 20 ms");
console.log("becomes a hole of 200 ms, a syllable, and a longer wait makes a longer hole.");
console.log(`none lost: ${whole.length} of ${COUNT} come out`);
console.log(`packet 100 lost: ${one.length} more are gone, ${one[0]} to ${one.at(-1)} (${one.length * 20} ms)`);
console.log(`the same with a latency of 500 ms: ${longer.length} more are gone (${longer.length * 20} ms)`);
console.log(`1 in 100 lost (${five.length}): ${many.length} more are gone, ${((many.length + five.length) / COUNT * 100).toFixed(0)} % of the sound in all`);
process.exit(whole.length === COUNT && one[0] === 102 && one.length >= 9 && longer.length > 2 * one.length && many.length === 5 * one.length ? 0 : 1);
JS
node show.mjs
