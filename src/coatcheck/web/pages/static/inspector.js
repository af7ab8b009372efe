// The token inspector, while typing. The same form, sent to the same page: without this file, a button does it.
"use strict";

const bench = document.querySelector("form[data-inspect]");
const report = document.getElementById("report");
const told = document.getElementById("told");
const LARGEST = 65536; // the most that the server reads of a request
const PAUSE = 250;
let waiting = 0;
let running = null;

function say(title, text) {
  const box = document.createElement("div");
  box.className = "verdict is-refused";
  const heading = document.createElement("h2");
  heading.textContent = title;
  const words = document.createElement("p");
  words.textContent = text;
  box.append(heading, words);
  report.replaceChildren(box);
  told.textContent = title;
}

async function look() {
  clearTimeout(waiting);
  running?.abort();
  const mine = running = new AbortController();
  const body = new URLSearchParams(new FormData(bench));
  if (body.toString().length > LARGEST) {
    say("This is too large", "At most 64 KB are read. No server takes a token of that size.");
    return;
  }
  report.setAttribute("aria-busy", "true");
  try {
    const headers = { Accept: "text/html" };
    const options = { method: "POST", body, headers, credentials: "same-origin", redirect: "error", signal: mine.signal };
    const answer = await fetch(bench.action, options);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById("report");
    if (fresh) show(fresh);
    else say("This cannot be shown", page.querySelector("h1")?.textContent ?? "The server refused it.");
  } catch (error) {
    if (error.name === "AbortError") return;
    say("The server does not answer", "Is coatcheck dev still running?");
  } finally {
    if (running === mine) report.removeAttribute("aria-busy");
  }
}

function show(fresh) {
  const wasOpen = report.querySelector(".steps")?.open;
  report.replaceChildren(...fresh.childNodes);
  const steps = report.querySelector(".steps");
  if (steps && wasOpen) steps.open = true;
  told.textContent = report.querySelector("[data-told]")?.dataset.told ?? "";
  offer();
}

// Where the key fits several algorithms, choosing one is one press.
function offer() {
  const choices = report.querySelector("[data-algorithms]");
  for (const name of choices?.dataset.algorithms.split(" ") ?? []) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "quiet";
    button.textContent = name;
    button.addEventListener("click", () => {
      bench.elements.alg.value = name;
      bench.elements.alg.focus();
      look();
    });
    choices.append(button);
  }
}

bench.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(look, PAUSE);
});

bench.addEventListener("submit", (event) => {
  if (event.submitter?.name === "example") return; // fills the fields in, which is a page of its own
  event.preventDefault();
  event.stopPropagation();
  look();
});

offer();
