// Drafts: `<form data-draft="PERSON:NAME">` keeps what is typed on this device until the server has taken it.
// Sent drafts are marked; the next page that the server answers without errors removes them. Logging out removes all.
import { word } from "./words.js";

const PREFIX = "xiezhi-draft:";
const KEEP_MS = 7 * 24 * 3600 * 1000;
const WAIT_MS = 500;

function all() {
  return Object.keys(localStorage).filter((key) => key.startsWith(PREFIX));
}

function read(key) {
  try {
    return JSON.parse(localStorage.getItem(key));
  } catch {
    return null;
  }
}

function fields(form) {
  return [...form.elements].filter(
    (field) => field.name && !["hidden", "password", "file", "submit", "button"].includes(field.type),
  );
}

function values(form) {
  return fields(form).map((field) => ({ name: field.name, value: field.value, checked: Boolean(field.checked) }));
}

function restore(form, saved) {
  const left = [...saved];
  for (const field of fields(form)) {
    const choice = field.type === "checkbox" || field.type === "radio";
    const at = left.findIndex((each) => each.name === field.name && (!choice || each.value === field.value));
    if (at < 0) continue;
    const kept = left.splice(at, 1)[0];
    if (choice) field.checked = kept.checked;
    else field.value = kept.value;
  }
}

function offerDiscard(form, key) {
  const note = document.createElement("div");
  note.className = "note tone-active draft-note";
  note.setAttribute("role", "status");
  const text = document.createElement("span");
  text.textContent = word("restored");
  const button = document.createElement("button");
  button.type = "button";
  button.className = "btn btn-sm";
  button.textContent = word("discard");
  button.addEventListener("click", () => {
    localStorage.removeItem(key);
    form.reset();
    delete form.dataset.dirty;
    note.remove();
  });
  note.append(text, button);
  form.before(note);
}

export function watchDrafts() {
  const failed = Boolean(document.querySelector(".error-summary"));
  for (const key of all()) {
    const draft = read(key);
    const stale = !draft || Date.now() - draft.at > KEEP_MS;
    if (stale || (draft.sent && !failed)) localStorage.removeItem(key);
  }

  for (const form of document.querySelectorAll("form[data-draft]")) {
    const key = PREFIX + form.dataset.draft;
    const draft = read(key);
    if (draft && !failed) {
      restore(form, draft.values);
      offerDiscard(form, key);
    }
    let timer;
    form.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        localStorage.setItem(key, JSON.stringify({ at: Date.now(), values: values(form) }));
      }, WAIT_MS);
    });
    form.addEventListener("submit", () => {
      clearTimeout(timer);
      localStorage.setItem(key, JSON.stringify({ at: Date.now(), values: values(form), sent: true }));
    });
  }

  document.addEventListener("submit", (event) => {
    if (event.target.matches("[data-forget-drafts]")) all().forEach((key) => localStorage.removeItem(key));
  });
}
