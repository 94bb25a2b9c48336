/** A suggestion's button fills the form's fields itself, where a page without script would send the form and come back with them filled. */
export function watchFills() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("button[data-fill]");
    if (!button?.form) return;
    event.preventDefault();
    const fills = JSON.parse(button.dataset.fill);
    for (const name of Object.keys(fills)) {
      const field = button.form.elements[name];
      if (!field) continue;
      if (field.type === "checkbox") field.checked = true;
      else field.value = fills[name];
      field.dispatchEvent(new Event("input", { bubbles: true }));
      field.dispatchEvent(new Event("change", { bubbles: true }));
    }
    button.textContent = button.dataset.filled;
    button.disabled = true;
  });
}
