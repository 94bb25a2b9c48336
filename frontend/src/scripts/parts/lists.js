import { word } from "./words.js";

function boxes() {
  return [...document.querySelectorAll('input[name="selected"][form="bulk"]')];
}

function show() {
  const bar = document.querySelector("[data-bulk]");
  if (!bar) return;
  const chosen = boxes().filter((box) => box.checked).length;
  bar.classList.toggle("has-selection", chosen > 0);
  bar.querySelector("[data-bulk-count]").textContent = word("selected").replace("{n}", chosen);
  const all = document.querySelector("[data-select-all]");
  if (all) {
    all.checked = chosen > 0 && chosen === boxes().length;
    all.indeterminate = chosen > 0 && chosen < boxes().length;
  }
}

/** Bulk selection, and addresses without empty filters. */
export function watchLists() {
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-select-all]")) for (const box of boxes()) box.checked = event.target.checked;
    if (event.target.matches('[data-select-all], input[name="selected"]')) show();
  });
  document.addEventListener("htmx:afterSettle", show);
  addEventListener("pageshow", show);

  document.addEventListener("htmx:configRequest", (event) => {
    if (!event.target.matches?.("[data-clean-query]")) return;
    const sent = event.detail.parameters;
    for (const name of Object.keys(sent)) if (sent[name] === "") delete sent[name];
  });
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-clean-query]") || event.defaultPrevented) return;
    for (const field of event.target.elements) if (field.name && field.value === "") field.disabled = true;
  });
}
