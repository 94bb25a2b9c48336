function free(form) {
  delete form.dataset.sent;
  for (const button of form.querySelectorAll("button[type=submit]")) button.disabled = false;
}

/** Forms are sent once, warn before what was typed is lost, and put the focus on their errors. */
export function watchForms() {
  document.querySelector("[data-focus]")?.focus();

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.matches("[data-warn-leaving]")) delete form.dataset.dirty;
    if (!form.matches("[data-submits-once]") || event.defaultPrevented) return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "1";
    // After the browser has read the form: a disabled button would not send its name and value.
    setTimeout(() => {
      for (const button of form.querySelectorAll("button[type=submit]")) button.disabled = true;
    });
    // A form that is answered with a file leaves the page where it is.
    if (form.querySelector("[data-downloads]")) setTimeout(() => free(form), 5000);
  });

  // Coming back with the browser's back button brings the page as it was left.
  addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) free(form);
  });

  document.addEventListener("input", (event) => {
    const form = event.target.form;
    if (form?.matches("[data-warn-leaving]")) form.dataset.dirty = "1";
  });
  addEventListener("beforeunload", (event) => {
    if (document.querySelector("form[data-dirty]")) event.preventDefault();
  });
}
