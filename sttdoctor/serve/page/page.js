"use strict";
// A capture is one request: its body goes up, steps of judging come back line by line, reports are in the last one.
// The server holds nothing, so a report lives in this page until it is closed.

const LIMIT = Number(document.body.dataset.limit);
const AT_ONCE = Number(document.body.dataset.atOnce);
const MOST = Number(document.body.dataset.most);
const WORDS = {pass: "pass", warn: "warning", fail: "fail", unknown: "unknown", error: "not judged"};
const TYPES = {html: "text/html", json: "application/json", markdown: "text/markdown"};
const SUFFIXES = {html: "html", json: "json", markdown: "md"};

const find = (selector, inside = document) => inside.querySelector(selector);
const first = find("#first");
const frame = find("#frame");
const queue = [];
const running = new Set();
let shown = null;

/** A text without characters that reorder or hide its line. */
function plain(text) {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (char) => `\\u{${char.codePointAt(0).toString(16)}}`);
}

/** Say to a screen reader what others see in the list. */
function tell(text) {
  find("#told").textContent = text;
}

function sizeOf(bytes) {
  for (const [unit, size] of [["GB", 1e9], ["MB", 1e6], ["kB", 1e3]]) {
    if (bytes >= size) return `${(bytes / size).toFixed(bytes < 10 * size ? 1 : 0)} ${unit}`;
  }
  return bytes === 1 ? "1 byte" : `${bytes} bytes`;
}

function readFields(form) {
  const rate = form.elements.sample_rate.value;
  return {
    encoding: form.elements.encoding.value || null,
    sample_rate: rate ? Number(rate) : null,
    text: form.elements.text.value || null,
  };
}

/** Make a capture and its element: `file` and `known` go up, `reports` come back, and are shown where they are awaited. */
function makeCapture(file, known, isFolder) {
  const element = find("#capture").content.firstElementChild.cloneNode(true);
  const capture = {file, known, isFolder, element, name: plain(file.name), request: null, reports: {}, isAwaited: false};
  find(".name", element).textContent = capture.name;
  find(".size", element).textContent = sizeOf(file.size);
  find("progress", element).setAttribute("aria-label", `Progress of ${capture.name}`);
  for (const part of element.querySelectorAll(".actions button, .actions a, summary")) {
    part.append(Object.assign(document.createElement("span"), {className: "unseen", textContent: ` of ${capture.name}`}));
  }
  const form = find("form", element);
  form.prepend(find("#fields").content.cloneNode(true));
  form.elements.encoding.value = known.encoding ?? "";
  form.elements.sample_rate.value = known.sample_rate ?? "";
  form.elements.text.value = known.text ?? "";
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    stop(capture);
    capture.known = readFields(form);
    find("details", element).open = false;
    capture.isAwaited = true;
    start(capture);
  });
  find(".show", element).addEventListener("click", () => show(capture, true));
  find(".cancel", element).addEventListener("click", () => {
    stop(capture);
    end(capture, "error", "You cancelled it.");
    find("summary", element).focus();
  });
  find(".remove", element).addEventListener("click", () => {
    stop(capture);
    forget(capture);
    element.remove();
    find("#captures").hidden = !find("#list").childElementCount;
    if (shown === capture) hideReport();
    find("#files").focus();
  });
  find("#list").append(element);
  return capture;
}

function look(capture, {badge, words, answer = "", busy = false, part = null}) {
  const {element} = capture;
  element.className = `capture ${badge}${shown === capture ? " shown" : ""}`;
  const mark = find(".badge", element);
  mark.className = `badge ${badge}`;
  mark.textContent = words;
  find(".answer", element).textContent = answer;
  const bar = find("progress", element);
  bar.hidden = find(".cancel", element).hidden = !busy;
  if (part === null) bar.removeAttribute("value");
  else bar.value = part;
  for (const name of [".show", ".tab", ".save"]) find(name, element).hidden = busy || !capture.reports.html;
}

function wait(capture, words, answer, part = null) {
  look(capture, {badge: "unknown", words, answer, busy: true, part});
}

function end(capture, badge, answer) {
  look(capture, {badge, words: WORDS[badge], answer});
  tell(`${capture.name}: ${WORDS[badge]}. ${answer}`);
}

function forget(capture) {
  for (const url of Object.values(capture.reports)) URL.revokeObjectURL(url);
  capture.reports = {};
}

function stop(capture) {
  const at = queue.indexOf(capture);
  if (at >= 0) queue.splice(at, 1);
  capture.request?.abort();
  capture.request = null;
  running.delete(capture);
  next();
}

function start(capture) {
  forget(capture);
  if (capture.isFolder) {
    end(capture, "error", "It is a folder; drop the files in it.");
    return;
  }
  capture.head = new TextEncoder().encode(JSON.stringify({name: capture.file.name, ...capture.known}));
  if (capture.file.size > LIMIT) {
    end(capture, "error", `It has ${sizeOf(capture.file.size)}; the limit is ${sizeOf(LIMIT)} (--size-limit).`);
  } else if (capture.head.length > MOST) {
    end(capture, "error", "The application's text is too long to be one.");
  } else {
    wait(capture, "waiting", "");
    queue.push(capture);
    next();
  }
}

function next() {
  while (queue.length && running.size < AT_ONCE) send(queue.shift());
}

function send(capture) {
  running.add(capture);
  const request = (capture.request = new XMLHttpRequest());
  let read = 0;
  let last = null;
  const readOn = () => {
    for (let stop; (stop = request.responseText.indexOf("\n", read)) >= 0; read = stop + 1) {
      let line;
      try {
        line = JSON.parse(request.responseText.slice(read, stop));
      } catch {
        continue; // what a process that died left of a line
      }
      if (line.what) wait(capture, "judging", stepOf(line), line.done / line.of);
      else last = line;
    }
  };
  request.upload.addEventListener("progress", ({loaded, total}) => wait(capture, "reading", "", loaded / total));
  request.upload.addEventListener("load", () => wait(capture, "judging", ""));
  request.addEventListener("progress", () => request.status === 200 && readOn());
  request.addEventListener("load", () => {
    if (request.status === 200) readOn();
    finish(capture, request.status === 200 ? last : {error: request.responseText});
  });
  request.addEventListener("error", () =>
    finish(capture, {error: "sttdoctor serve does not answer, or the file has changed. Is it still running?"}));
  wait(capture, "reading", "", 0);
  request.open("POST", `captures?head=${capture.head.length}`);
  request.send(new Blob([capture.head, capture.file]));
}

function stepOf({done, of, what}) {
  return of === 1 ? what : `question ${done + 1} of ${of}: ${what}`;
}

function finish(capture, line) {
  capture.request = null;
  running.delete(capture);
  if (line?.reports) {
    for (const [form, text] of Object.entries(line.reports)) {
      const blob = new Blob([text], {type: `${TYPES[form]};charset=utf-8`});
      const link = find(`.${form}`, capture.element);
      link.href = capture.reports[form] = URL.createObjectURL(blob);
      link.download = `${capture.file.name}.${SUFFIXES[form]}`;
    }
    find(".tab", capture.element).href = capture.reports.html;
    end(capture, line.status, line.answer);
    if (capture.isAwaited || shown === null || shown === capture) show(capture, false);
    if (capture.isAwaited) capture.element.scrollIntoView();
    capture.isAwaited = false;
  } else {
    end(capture, "error", line?.error ?? "The server stopped before it had an answer.");
    if (shown === capture) hideReport();
  }
  next();
}

/** Show a report; `go` where somebody asked for it, and is taken there. */
function show(capture, go) {
  shown?.element.classList.remove("shown");
  shown = capture;
  capture.element.classList.add("shown");
  find("#report").hidden = false;
  find("#h-report").textContent = frame.title = `Report of ${capture.name}`;
  frame.contentWindow.location.replace(capture.reports.html); // and no step back to the one before
  if (go) {
    find("#h-report").focus({preventScroll: true});
    find("#report").scrollIntoView();
  }
}

function hideReport() {
  shown?.element.classList.remove("shown");
  shown = null;
  find("#report").hidden = true;
  frame.contentWindow.location.replace("about:blank");
}

// as high as its report, so that the page has one scroll bar
const heights = new ResizeObserver(([entry]) => {
  frame.style.height = `${Math.ceil(entry.target.getBoundingClientRect().height) + 2}px`;
});
frame.addEventListener("load", () => {
  heights.disconnect();
  heights.observe(frame.contentDocument.body);
  takeDrops(frame.contentDocument);
  for (const link of frame.contentDocument.links) {
    if (link.protocol.startsWith("http")) link.target = "_blank";
  }
});

function add(files, folders = new Set()) {
  if (!files.length) return;
  const known = readFields(first);
  const many = files.length > 1;
  const captures = files.map((file) =>
    makeCapture(file, many ? {...known, text: null} : known, folders.has(file.name)));
  find("#captures").hidden = false;
  if (!many) {
    first.elements.text.value = ""; // it is of that capture, and stands below it
    captures[0].isAwaited = true;
  }
  captures[0].element.scrollIntoView();
  captures.forEach(start);
  const unused = "A text belongs to one capture, so it was not used: give it below its capture.";
  find("#note").textContent = many && known.text ? unused : "";
}

/** Take files that are dropped anywhere on a document: a report in its frame is one of its own. */
function takeDrops(place) {
  for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
    place.addEventListener(kind, (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      if (kind === "dragleave" && event.relatedTarget) return; // to another element
      event.preventDefault();
      document.body.classList.toggle("over", kind === "dragenter" || kind === "dragover");
      if (kind === "drop") drop(event.dataTransfer);
    });
  }
}

function drop({items, files}) {
  const folders = [...items].map((item) => item.webkitGetAsEntry?.()).filter((entry) => entry?.isDirectory);
  add([...files], new Set(folders.map((entry) => entry.name)));
}

first.append(find("#fields").content.cloneNode(true));
first.addEventListener("submit", (event) => event.preventDefault());
find("#files").addEventListener("change", ({target}) => {
  add([...target.files]);
  target.value = "";
});
takeDrops(document);
