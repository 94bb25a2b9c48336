import { word } from "./words.js";

const TOAST_MS = 6000;

/**
 * Unless the person is typing: `/` goes to the search of everything, `f` to the list's own box, `?` opens the help, `j` and `k` walk the
 * rows of a list, 1 to 9 press the buttons of what is needed now, and what carries `data-key` is pressed by its key.
 * While typing, Ctrl and Enter send the form.
 */
export function watchKeys() {
  const help = document.getElementById("help");
  const openHelp = () => help?.showModal && !help.open && help.showModal();
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      const form = event.target.form;
      if (form?.method !== "post") return;
      event.preventDefault();
      form.requestSubmit(form.querySelector("[data-sends]") ?? undefined);
      return;
    }
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "/" || event.key === "f") {
      const box = document.querySelector(event.key === "/" ? "[data-search-all]" : "[data-search]");
      if (!box?.offsetParent) return;
      event.preventDefault();
      box.focus();
      box.select();
    } else if (event.key === "?") {
      event.preventDefault();
      openHelp();
    } else if (event.key === "j" || event.key === "k") {
      const rows = [...document.querySelectorAll("#results tbody tr a:first-of-type")].filter(firstOfItsRow);
      const next = rows.indexOf(document.activeElement) + (event.key === "j" ? 1 : -1);
      rows.at(Math.min(Math.max(next, 0), rows.length - 1))?.focus();
    } else {
      press(event);
    }
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-help]")) openHelp();
  });
}

const firstOfItsRow = (link) => link.closest("tr").querySelector("a") === link;

/** Press what a key stands for on this page: a button of what is needed now by its place, or the one that carries the key. */
function press(event) {
  const nth = /^[1-9]$/.test(event.key) && !document.querySelector("dialog[open]") ? Number(event.key) : 0;
  const needed = nth && document.querySelectorAll(".needed .moves > .btn, .needed .moves > * > .btn")[nth - 1];
  const found = needed || document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (!found) return;
  event.preventDefault();
  found.focus();
  found.click();
}

/** Close open menus on Escape, on a click elsewhere and when the focus leaves. */
export function watchMenus() {
  const open = () => document.querySelectorAll("details[data-menu][open]");
  document.addEventListener("click", (event) => {
    for (const menu of open()) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of open()) {
      menu.open = false;
      if (menu.contains(document.activeElement)) menu.querySelector("summary").focus();
    }
    if (location.hash === "#navigation") location.hash = "#content";
  });
  document.addEventListener("focusin", (event) => {
    for (const menu of open()) if (!menu.contains(event.target)) menu.open = false;
  });
}

/** What was found while typing: arrows walk through it, Escape, a click elsewhere or leaving closes it. */
export function watchQuickSearch() {
  const form = document.querySelector("[data-quick]");
  if (!form) return;
  const box = form.querySelector("[data-search-all]");
  const panel = form.querySelector("#quick");
  const close = () => panel.replaceChildren();
  form.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && panel.childElementCount) {
      event.preventDefault(); // browsers would empty the box as well
      close();
      box.focus();
    }
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    const stops = [box, ...panel.querySelectorAll("a")];
    const next = stops.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
    event.preventDefault();
    stops[(next + stops.length) % stops.length].focus();
  });
  const away = (event) => form.contains(event.target) || close();
  document.addEventListener("click", away);
  document.addEventListener("focusin", away);
}

/** Success messages go away by themselves, but not while they are pointed at. */
export function watchToasts() {
  for (const toast of document.querySelectorAll("[data-toast]")) {
    const close = document.createElement("button");
    close.type = "button";
    close.className = "btn-close";
    close.setAttribute("aria-label", word("close"));
    close.addEventListener("click", () => toast.remove());
    toast.append(close);
    let timer = setTimeout(() => toast.remove(), TOAST_MS);
    toast.addEventListener("mouseenter", () => clearTimeout(timer));
    toast.addEventListener("mouseleave", () => {
      timer = setTimeout(() => toast.remove(), TOAST_MS);
    });
  }
}
