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

/** On a phone the filters wait behind their button, unless one is in use. */
function foldFilters() {
  if (!matchMedia("(max-width: 767.98px)").matches) return;
  for (const part of document.querySelectorAll("details[data-phone-closed]:not([data-used])")) part.open = false;
}

/** Bulk selection, folded filters, and addresses without empty filters. */
export function watchLists() {
  foldFilters();
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
    // The table may have been sorted since the form was drawn.
    const sort = new URLSearchParams(location.search).get("sort");
    if (sort) sent.sort = sort;
  });
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-clean-query]") || event.defaultPrevented) return;
    for (const field of event.target.elements) if (field.name && field.value === "") field.disabled = true;
  });
}
