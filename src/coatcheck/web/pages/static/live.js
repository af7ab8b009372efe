// The live demonstration: what the services answer at this moment, and what was measured.
"use strict";

const stage = document.getElementById("stage");
const leave = document.getElementById("leave");
const enter = document.getElementById("enter");
const result = document.getElementById("result");
const bar = document.querySelector("header.bar");
const headers = { Accept: "application/json", "Content-Type": "application/json", "X-CSRF-Token": stage.dataset.csrf };
const WORDS = { 200: "yes", 401: "signed out", 503: "not ready" };
let busy = false;

function clock(seconds) {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

function showAnswers(answers) {
  for (const place of document.querySelectorAll("[data-answer]")) {
    const [service, credential] = place.dataset.answer.split("/");
    const found = answers.find((each) => each.service === service && each.credential === credential);
    place.dataset.status = found ? found.status : "";
    place.querySelector(".said").textContent = found ? `${found.status} ${WORDS[found.status] || ""}`.trim() : "no request yet";
  }
}

function showState(state) {
  showAnswers(state.answers);
  for (const place of document.querySelectorAll("[data-session]")) {
    const found = state.sessions.find((each) => (each.kind === "browser") === (place.dataset.session === "browser"));
    place.textContent = found ? `session ${found.id}` : "not signed in";
  }
  document.querySelector("[data-remaining]").textContent = clock(state.token_good_for || 300);
  const inside = state.answers.some((each) => each.status === 200);
  leave.hidden = !inside;
  enter.hidden = inside;
  showBar(state.sessions.some((each) => each.kind === "browser"));
}

// The bar says who is signed in: it goes with the session, and comes with the page that a sign-in leads to.
function showBar(signedIn) {
  if (bar) bar.hidden = !signedIn;
}

async function look() {
  if (busy || document.hidden) return;
  try {
    const response = await fetch("/live/state", { headers });
    if (response.ok && !busy) showState(await response.json());
  } catch {
    showAnswers([]);
  }
}

function showMeasured(measured) {
  const longest = Math.max(...measured.observed.map((each) => each.refused_after_ms ?? 0), 1);
  const rows = measured.observed.map((each) => {
    const row = document.createElement("div");
    row.className = "bar-row";
    const label = document.createElement("span");
    label.textContent = `${each.service}, ${each.credential}`;
    const meter = document.createElement("meter");
    meter.max = longest;
    meter.value = each.refused_after_ms ?? longest;
    meter.setAttribute("aria-hidden", "true");
    const number = document.createElement("strong");
    number.textContent = each.refused_after_ms === null ? "not refused" : `${each.refused_after_ms.toFixed(1)} ms`;
    row.append(label, meter, number);
    return row;
  });
  document.getElementById("bars").replaceChildren(...rows);
  const answers = measured.observed.reduce((sum, each) => sum + each.accepted_before, 0);
  const times = measured.observed.map((each) => each.refused_after_ms);
  document.getElementById("verdict").textContent = times.includes(null)
    ? "One of them has not refused: that is a fault, please report it."
    : `Signed out on every device and refused everywhere within ${Math.max(...times).toFixed(1)} ms of the click reaching the server. The services had said yes ${answers} times just before.`;
  document.getElementById("otherwise").textContent =
    `A service that looked only at the signature and the expiry of the token would go on saying yes for ${clock(measured.token_good_for)}.`;
  showAnswers(measured.observed.map((each) => ({ ...each, status: each.refused_after_ms === null ? 200 : 401 })));
  result.hidden = false;
}

leave.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (busy) return;
  busy = true;
  try {
    const response = await fetch("/live/sign-out-everywhere", { method: "POST", headers, body: "{}" });
    if (response.ok) {
      showMeasured(await response.json());
      leave.hidden = true;
      enter.hidden = false;
      showBar(false);
    }
  } finally {
    busy = false;
  }
});

// Whoever is not signed in here has nothing to show to the services.
if ("inside" in stage.dataset) {
  look();
  setInterval(look, 1000);
}
