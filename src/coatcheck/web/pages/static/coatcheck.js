// Improvements only: every page works without this file.
"use strict";

// --- passwords can be looked at --------------------------------------------------------------------------

for (const input of document.querySelectorAll("input[type=password]")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "reveal";
  button.setAttribute("aria-controls", input.id);
  const show = (shown) => {
    input.type = shown ? "text" : "password";
    button.textContent = shown ? "Hide" : "Show";
    button.setAttribute("aria-pressed", String(shown));
    button.setAttribute("aria-label", "Show the password");
  };
  button.addEventListener("click", () => show(input.type === "password"));
  // Sent as text, it would end up in the browser's list of things typed before.
  input.form.addEventListener("submit", () => show(false));
  show(false);
  input.parentElement.classList.add("can-reveal");
  input.after(button);
}

// --- times, in the reader's zone and as a distance --------------------------------------------------------

const UNITS = [["year", 31536000], ["month", 2592000], ["day", 86400], ["hour", 3600], ["minute", 60]];
const distance = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const moment = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeStyle: "short" });

function tellTimes() {
  for (const time of document.querySelectorAll("time[data-relative]")) {
    const at = new Date(time.dateTime);
    const seconds = (at - Date.now()) / 1000;
    const unit = UNITS.find(([, length]) => Math.abs(seconds) >= length);
    time.textContent = unit ? distance.format(Math.round(seconds / unit[1]), unit[0]) : "just now";
    time.title = moment.format(at);
  }
}

tellTimes();
setInterval(tellTimes, 60000);

// --- asking before what cannot be undone, and sending once ------------------------------------------------

function ask(question, label) {
  const dialog = document.createElement("dialog");
  dialog.className = "ask";
  const text = document.createElement("p");
  text.id = "ask-question";
  text.textContent = question;
  dialog.setAttribute("aria-labelledby", text.id);
  const form = document.createElement("form");
  form.method = "dialog";
  for (const [value, words, look] of [["no", "Cancel", "secondary"], ["yes", label, "danger solid"]]) {
    const button = document.createElement("button");
    button.value = value;
    button.textContent = words;
    button.className = look;
    form.append(button);
  }
  dialog.append(text, form);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((answer) => {
    dialog.addEventListener("close", () => {
      answer(dialog.returnValue === "yes");
      dialog.remove();
    });
  });
}

const agreed = new WeakSet();

document.addEventListener("submit", async (event) => {
  const form = event.target;
  const button = event.submitter;
  if (form.method === "dialog") return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  if (button?.dataset.confirm && !agreed.has(form)) {
    event.preventDefault();
    if (await ask(button.dataset.confirm, button.firstChild.textContent.trim())) {
      agreed.add(form);
      form.requestSubmit(button);
    } else {
      button.focus();
    }
    return;
  }
  form.dataset.sent = "yes";
  button?.setAttribute("aria-disabled", "true");
});

// Who comes back by the browser's "back" finds the forms as they were.
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    agreed.delete(form);
    form.querySelector("[aria-disabled]")?.removeAttribute("aria-disabled");
  }
});

// --- lines to copy ----------------------------------------------------------------------------------------

if (navigator.clipboard) {
  for (const block of document.querySelectorAll("pre[data-copy]")) {
    const text = block.textContent;
    const frame = document.createElement("div");
    frame.className = "copy-frame";
    block.before(frame);
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(text);
        button.textContent = "Copied";
      } catch {
        button.textContent = "Not allowed";
      }
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
    frame.append(block, button);
  }
}
