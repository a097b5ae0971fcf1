#!/usr/bin/env bash
# npm subsrt-ts 2.1.2 and subsrt 1.1.1: what stands between >> and the next colon is taken out as the name of a speaker.
# Their READMEs show names taken out (>> ALICE:), not sentences; no report found in either tracker.
set -euo pipefail
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && cd "$work"
npm init -y >/dev/null && npm install --silent --ignore-scripts --no-audit --no-fund subsrt-ts@2.1.2 subsrt@1.1.1 || exit 2
cat > show.mjs <<'JS'
import { readFileSync } from "node:fs";
import { parse as newer } from "subsrt-ts";
import subsrt from "subsrt";
const version = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8")).version;
const said = [">> I'll be there at 10:30.", ">> Come in.\r\n>> You asked for two things: time and money.", ">> Ratio of 3:1, and no more."];
const file = said.map((text, i) => `${i + 1}\r\n00:00:0${i},000 --> 00:00:0${i + 1},000\r\n${text}`).join("\r\n\r\n") + "\r\n";
const left = [newer, (text) => subsrt.parse(text)].map((parse) => parse(file, { format: "srt" }).map(({ text }) => text.trim()));
console.log(`subsrt-ts ${version("subsrt-ts")}, subsrt ${version("subsrt")}, node ${process.version}`);
console.log("Captions of live programmes mark each change of speaker by >>, mostly without a name. Both libraries cut from the mark to the");
console.log("next colon, over sentences and line ends: a time of day, a ratio or a list takes all words before it away, in `text`. In");
console.log("`content` they are still there.");
said.forEach((text, i) => console.log(`${JSON.stringify(text)}\n   subsrt-ts: ${JSON.stringify(left[0][i])}\n   subsrt:    ${JSON.stringify(left[1][i])}`));
const expected = ["30.", "time and money.", "1, and no more."];
process.exit(left.every((texts) => texts.every((text, i) => text === expected[i])) ? 0 : 1);
JS
node show.mjs
