#!/usr/bin/env bash
# npm fetch-event-stream 0.1.6: an empty first line of data is dropped, so a piece of text loses the line feed that it begins with.
# The standard (server-sent events, 9.2.6) puts a line feed behind each line of data and takes one off the end. Not reported here; of
# @microsoft/fetch-event-source the same is (Azure/fetch-event-source, issue 50).
set -euo pipefail
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && cd "$work"
npm init -y >/dev/null && npm install --silent --ignore-scripts --no-audit --no-fund fetch-event-stream@0.1.6 eventsource-parser@3.0.6 eventsource-encoder@1.0.2 || exit 2
cat > show.mjs <<'JS'
import { readFileSync } from "node:fs";
import { events } from "fetch-event-stream";
import { createParser } from "eventsource-parser";
import { encode } from "eventsource-encoder";
const version = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8")).version;
const pieces = ["Speaker A:", "\nCall me at ten.", "\n\nSpeaker B:", "\n", "Not before."];
const stream = pieces.map((data) => encode({ data })).join("");
const ours = [], theirs = [];
for await (const { data } of events(new Response(stream))) ours.push(data);
createParser({ onEvent: ({ data }) => theirs.push(data) }).feed(stream);
console.log(`fetch-event-stream ${version("fetch-event-stream")}, eventsource-parser ${version("eventsource-parser")}, eventsource-encoder ${version("eventsource-encoder")}, node ${process.version}`);
console.log("Lines of data are joined by a line feed only if there is something before: an empty line counts as nothing. Services that send");
console.log("text piece by piece, as it is spoken or made, have their paragraphs run together, and a piece of one line feed comes empty.");
console.log(`sent:               ${JSON.stringify(pieces.join(""))}`);
console.log(`got:                ${JSON.stringify(ours.join(""))}`);
console.log(`eventsource-parser: ${JSON.stringify(theirs.join(""))}`);
process.exit(ours.join("") === "Speaker A:Call me at ten.Speaker B:Not before." && theirs.join("") === pieces.join("") ? 0 : 1);
JS
node show.mjs
