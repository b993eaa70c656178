// What the pages gain from JavaScript; every page works without it. Hooks are data-attributes, listed in app.css.

const TOAST_MS = 7000;
const RESEND_MS = 5000;
const YEAR_S = 31536000;

// The rail, folded to icons; the server renders the state from the cookie.
document.querySelector("[data-fold]")?.addEventListener("click", (event) => {
  const folded = document.body.classList.toggle("is-folded");
  event.currentTarget.setAttribute("aria-expanded", String(!folded));
  document.cookie = `rail=${folded ? "folded" : "open"}; path=/; max-age=${YEAR_S}; samesite=lax`;
});

// "/" goes to the search.
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, [contenteditable], dialog")) return;
  const search = document.querySelector("[data-search]");
  if (!search) return;
  event.preventDefault();
  search.focus();
  search.select();
});

// What was typed while the scripts were still loading is told again: htmx, whose script comes first, listens by now.
document.addEventListener("DOMContentLoaded", () => {
  const field = document.activeElement;
  if (!field.matches("input, textarea") || field.value === field.defaultValue) return;
  field.dispatchEvent(new Event("input", { bubbles: true }));
});

// What is found as one types: under the field, a list of links that the arrow keys walk through.
const found = document.querySelector("[data-found]");
const searchField = document.querySelector("[data-search]");

function showFound(shown) {
  if (found) found.hidden = !shown || !found.childElementCount;
}

document.addEventListener("htmx:afterSettle", ({ detail }) => {
  if (detail.target === found) showFound(found.parentElement.contains(document.activeElement));
});
searchField?.addEventListener("focus", () => showFound(true));
// A press on what is found leaves the focus where it is: not every browser gives it to a link.
found?.addEventListener("mousedown", (event) => event.preventDefault());
found?.parentElement.addEventListener("focusout", ({ relatedTarget }) => {
  if (!found.parentElement.contains(relatedTarget)) showFound(false);
});
found?.parentElement.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !found.hidden) {
    searchField.focus();
    showFound(false);
    event.preventDefault();
  }
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step || found.hidden) return;
  const places = [searchField, ...found.querySelectorAll(".o-hit, .o-hits__all a")];
  const next = places.indexOf(document.activeElement) + step;
  places[(next + places.length) % places.length].focus();
  event.preventDefault();
});

// Menus (details.o-menu): one open at a time; a click elsewhere or Escape closes it.
const openMenus = () => [...document.querySelectorAll("details.o-menu[open]")];

document.addEventListener("click", (event) => {
  for (const menu of openMenus()) if (!menu.contains(event.target)) menu.open = false;
});

// A panel opens to the side where there is room for it; what it holds may come after it was opened.
function toSide(menu) {
  if (!menu?.matches?.("details.o-filter[open]")) return;
  menu.classList.remove("o-menu--end");
  const { right } = menu.querySelector(".o-menu__panel").getBoundingClientRect();
  menu.classList.toggle("o-menu--end", right > document.documentElement.clientWidth);
}

document.addEventListener("toggle", ({ target }) => toSide(target), true);
document.addEventListener("htmx:afterSwap", () => toSide(document.querySelector("details.o-filter[open]")));

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of openMenus()) {
    if (menu.contains(document.activeElement)) menu.querySelector("summary").focus();
    menu.open = false;
    event.preventDefault();
  }
});

// Toasts leave by themselves unless they report an error, or somebody is reading them.
function startToast(toast) {
  if (toast.dataset.started) return;
  toast.dataset.started = "yes";
  if ("stay" in toast.dataset) return;
  let timer;
  const start = () => (timer = setTimeout(() => toast.remove(), TOAST_MS));
  for (const name of ["pointerenter", "focusin"]) toast.addEventListener(name, () => clearTimeout(timer));
  for (const name of ["pointerleave", "focusout"]) toast.addEventListener(name, start);
  start();
}

function showError(text) {
  const place = dialog?.open ? dialog : document.getElementById("toasts");
  if (!place || !text) return;
  const toast = document.createElement("div");
  toast.className = "o-toast o-toast--danger";
  toast.dataset.toast = "";
  const words = document.createElement("p");
  words.textContent = text;
  toast.append(words);
  place.prepend(toast);
  startToast(toast);
}

document.addEventListener("click", (event) => {
  event.target.closest("[data-dismiss]")?.closest("[data-toast]")?.remove();
});

// The demo's sign-ins fill the form.
document.addEventListener("click", (event) => {
  const filler = event.target.closest("[data-fill]");
  if (!filler) return;
  for (const [name, value] of Object.entries(JSON.parse(filler.dataset.fill))) {
    const input = document.querySelector(`input[name="${name}"]`);
    if (input) input.value = value;
  }
  document.querySelector("[data-fill-target]")?.focus();
});

// Filters apply as soon as they are changed.
document.addEventListener("change", (event) => {
  if (event.target.closest("[data-autosubmit]")) event.target.form?.requestSubmit();
});

// A form is sent once, however often its button is pressed; again after a while, for answers that are downloads.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || event.defaultPrevented) return;
  if (form.dataset.sent) event.preventDefault();
  else form.dataset.sent = "yes";
  setTimeout(() => delete form.dataset.sent, RESEND_MS);
});
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// Confirmations open in the dialog: the link's page, asked for as a fragment (frame.layout), is sent from there too.
const dialog = document.getElementById("dialog");
let dialogUrl = "";

async function openDialog(link) {
  dialogUrl = link.href;
  await htmx.ajax("GET", dialogUrl, { target: dialog, swap: "innerHTML" });
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-dialog]");
  if (!link || !dialog || !window.htmx || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  openDialog(link);
});

dialog?.addEventListener("click", (event) => {
  if (event.target !== dialog && !event.target.closest("[data-close]")) return;
  event.preventDefault();
  dialog.close();
});

dialog?.addEventListener(
  "submit",
  (event) => {
    const { target: form, submitter } = event;
    if (form.method !== "post" || form.hasAttribute("hx-post")) return;
    event.preventDefault();
    event.stopPropagation();
    if (form.ariaBusy === "true") return;
    form.ariaBusy = "true";
    const url = submitter?.getAttribute("formaction") || form.getAttribute("action") || dialogUrl;
    const values = submitter?.name ? { [submitter.name]: submitter.value } : {};
    htmx.ajax("POST", url, { source: form, target: dialog, swap: "innerHTML", values });
  },
  true,
);

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target === dialog && !dialog.open) dialog.showModal();
});

// After a swap: focus on what is wrong, new toasts, and the state of single fields that a dry run answered for.
function settle(root) {
  for (const toast of root.querySelectorAll("[data-toast]")) startToast(toast);
  root.querySelector("[data-focus]")?.focus();
}

document.addEventListener("htmx:afterSettle", (event) => settle(event.detail.elt));

document.addEventListener("htmx:oobAfterSwap", (event) => {
  const place = document.getElementById(event.detail.target.id); // not what it replaced
  if (!place) return;
  if (place.id === "toasts") settle(place);
  if (!place.id.endsWith("_error")) return;
  const control = document.querySelector(`[aria-describedby~="${CSS.escape(place.id)}"]`);
  if (place.childElementCount) control?.setAttribute("aria-invalid", "true");
  else control?.removeAttribute("aria-invalid");
});

// Waiting and failing, once for all requests.
let waiting = 0;
document.addEventListener("htmx:beforeRequest", () => (document.documentElement.dataset.busy = String(++waiting)));
document.addEventListener("htmx:afterRequest", () => {
  if (--waiting <= 0) delete document.documentElement.dataset.busy;
});
for (const name of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) {
  document.addEventListener(name, () => {
    for (const form of dialog?.querySelectorAll("form") ?? []) form.ariaBusy = null;
    showError(document.body.dataset.error);
  });
}

settle(document);
