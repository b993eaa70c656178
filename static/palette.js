// The palette: Ctrl K (Cmd K) opens it, the arrow keys walk its lines while the field keeps the focus, Enter opens one.

const palette = document.querySelector("[data-palette]");
const field = palette?.querySelector("input");
const found = document.getElementById("palette-found");
let at = -1;
// Enter came before the lines of what was typed: the first of them is opened when they are there.
let hurried = false;

const lines = () => [...found.querySelectorAll("[role=option]")];
const isFresh = () => found.querySelector("[data-query]")?.dataset.query === field.value.trim();
const ask = () => htmx.trigger(field, "palette");

function choose(next) {
  const all = lines();
  at = all.length ? (next + all.length) % all.length : -1;
  all.forEach((line, n) => {
    line.id = `palette-line-${n}`;
    line.setAttribute("aria-selected", String(n === at));
  });
  field.setAttribute("aria-expanded", String(all.length > 0));
  if (at < 0) field.removeAttribute("aria-activedescendant");
  else field.setAttribute("aria-activedescendant", all[at].id);
  all[at]?.scrollIntoView({ block: "nearest" });
}

function open() {
  if (!window.htmx || document.querySelector("dialog[open]")) return;
  field.value = "";
  hurried = false;
  palette.showModal();
  ask();
}

function enter(event) {
  const line = lines()[at];
  if (!isFresh()) {
    hurried = true;
    ask();
  } else if (line?.href && (event.ctrlKey || event.metaKey)) window.open(line.href);
  else line?.click();
}

document.addEventListener("keydown", (event) => {
  if (!palette || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey || event.key.toLowerCase() !== "k") return;
  event.preventDefault();
  if (palette.open) palette.close();
  else open();
});

const opener = document.querySelector("[data-palette-open]");
if (opener && /Mac|iP/.test(navigator.platform)) opener.querySelector("kbd").textContent = "⌘ K";
opener?.addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  open();
});

field?.addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  if (event.key === "ArrowDown") choose(at + 1);
  else if (event.key === "ArrowUp") choose(at - 1);
  else if (event.key === "Enter") enter(event);
  else return;
  event.preventDefault();
});

// The lines go: until the next ones are there, none of them is chosen.
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.target === found) field.removeAttribute("aria-activedescendant");
});
document.addEventListener("htmx:afterSettle", ({ detail }) => {
  if (detail.target !== found) return;
  choose(0);
  if (hurried && isFresh()) lines()[0]?.click();
});

// What was chosen opens a page, or the other dialog, which comes in this one's place; a click beside it closes it.
palette?.addEventListener("click", (event) => {
  if (event.target === palette || event.target.closest("[role=option]")) palette.close();
});
window.addEventListener("pagehide", () => palette?.close());
