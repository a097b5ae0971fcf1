#!/usr/bin/env bash
# npm parse-sse 0.1.0: an event loses its name when the network cuts the stream between the CR and the LF behind it.
set -euo pipefail
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && cd "$work"
npm init -y >/dev/null && npm install --silent --ignore-scripts --no-audit --no-fund parse-sse@0.1.0 eventsource-parser@3.0.6 || exit 2
cat > show.mjs <<'JS'
import { readFileSync } from "node:fs";
import { ServerSentEventTransformStream } from "parse-sse";
import { EventSourceParserStream } from "eventsource-parser/stream";
const version = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8")).version;
const text = 'event: turn.end\r\ndata: {"transcript":\r\ndata: "Call me at ten."}\r\n\r\n'; // one event, with the line ends of HTTP
async function read(parser, cut) {
  const source = new ReadableStream({ start(control) { [text.slice(0, cut), text.slice(cut)].forEach((part) => control.enqueue(part)); control.close(); } });
  const events = [];
  for await (const { type, event, data } of source.pipeThrough(new parser())) events.push(`${type === "event" || !type ? event : type}: ${data.replaceAll("\n", " ")}`);
  return events.join(" | ");
}
const cuts = Array.from({ length: text.length - 1 }, (_, i) => i + 1);
const ours = await Promise.all(cuts.map((cut) => read(ServerSentEventTransformStream, cut)));
const theirs = await Promise.all(cuts.map((cut) => read(EventSourceParserStream, cut)));
const wrong = cuts.filter((_, i) => ours[i] !== ours[0]);
console.log(`parse-sse ${version("parse-sse")}, eventsource-parser ${version("eventsource-parser")}, node ${process.version}`);
console.log("Where a piece of the stream ends with a CR, the line counts as ended, and the LF that begins the next piece counts as an");
console.log("empty line, which ends the event. What was of it so far is given out alone, or dropped if it was only its name: the rest");
console.log("comes as a 'message', which nobody waits for, and JSON over two lines comes in halves. Where the cuts lie is up to the");
console.log("network, so it happens now and then, on a slow line more often, and never in a test of one piece.");
console.log(`whole: ${ours[0]}`);
for (const cut of wrong) console.log(`cut behind ${JSON.stringify(text.slice(Math.max(0, cut - 8), cut))}: ${ours[cut - 1]}`);
console.log(`eventsource-parser, in ${cuts.length} of ${cuts.length} places: ${[...new Set(theirs)].join(" or ")}`);
process.exit(wrong.length === 2 && wrong.every((cut) => text[cut - 1] === "\r") && ours[wrong[0] - 1].startsWith("message:") && new Set(theirs).size === 1 ? 0 : 1);
JS
node show.mjs
