import { word } from "./words.js";

/** A note that stays, on top of the page. */
function complain(text) {
  const place = document.getElementById("messages");
  if (!place || [...place.children].some((note) => note.textContent === text)) return;
  const note = document.createElement("div");
  note.className = "note tone-urgent";
  note.setAttribute("role", "alert");
  note.textContent = text;
  place.append(note);
}

/** When a part of the page cannot be renewed: say so, or let the server's own page speak. */
export function watchRequests() {
  document.addEventListener("htmx:sendError", () => complain(word("network")));
  document.addEventListener("htmx:timeout", () => complain(word("network")));
  document.addEventListener("htmx:responseError", (event) => {
    const request = event.detail.requestConfig;
    const polling = event.target.closest?.(".job-progress");
    if (request.verb === "get" && !polling && event.detail.xhr.status < 500) location.assign(request.path);
    else complain(word("failed"));
  });
  // Logged out meanwhile: the login page must not land inside a table.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.xhr.responseURL.includes("/accounts/login")) {
      event.detail.shouldSwap = false;
      location.reload();
    }
  });
}
