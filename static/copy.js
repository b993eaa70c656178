// A button beside a field that is only read copies what it holds; without this one selects it by hand.

function copy(field) {
  field.focus();
  field.select();
  if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(field.value);
  return document.execCommand("copy") ? Promise.resolve() : Promise.reject(new Error("copying is refused"));
}

for (const button of document.querySelectorAll("[data-copy]")) {
  const field = document.getElementById(button.dataset.copy);
  const told = document.getElementById(button.dataset.told);
  button.addEventListener("click", () => copy(field).then(() => (told.textContent = button.dataset.done), () => {}));
}
