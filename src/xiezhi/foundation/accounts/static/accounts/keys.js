// Starts allauth's passkey forms from the page's own data blocks, and says so when the browser gives no key.
document.addEventListener("DOMContentLoaded", () => {
  for (const block of document.querySelectorAll("[data-key-form]")) {
    window.allauth.webauthn.forms[block.dataset.keyForm]({ ids: JSON.parse(block.dataset.keyIds) });
  }
});

document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  const trouble = document.getElementById("key-trouble");
  if (trouble) {
    trouble.classList.remove("d-none");
    trouble.scrollIntoView({ block: "nearest" });
  }
});
