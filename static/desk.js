// The reviewers' desk by keyboard; its pages work without. What has data-key is pressed by that key.

const rows = [...document.querySelectorAll("[data-row]")];
const help = document.getElementById("desk-keys");
let at = -1;

document.querySelectorAll("[data-keys]").forEach((hint) => (hint.hidden = false));

function walk(step) {
  const next = Math.min(Math.max(at + step, 0), rows.length - 1);
  rows[at]?.classList.remove("is-cursor");
  at = next;
  rows[at].classList.add("is-cursor");
  rows[at].querySelector("a").focus();
}

const box = () => rows[at]?.querySelector("input[type=checkbox]");

function press(key) {
  const target = document.querySelector(`[data-key="${key}"]`);
  if (!target) return false;
  if (!target.closest("details")?.open || target.localName !== "summary") target.click();
  target.closest("details")?.querySelector("select, textarea, input:not([type=hidden])")?.focus();
  return true;
}

// What is done to rows is done to the one under the cursor, unless others are ticked.
function ticked() {
  if (document.querySelector("[data-row] input:checked")) return true;
  if (at < 0 && rows.length) walk(1);
  if (box()) box().checked = true;
  return Boolean(box());
}

function onList(key) {
  if (key === "j" || key === "k") walk(key === "j" ? 1 : -1);
  else if (key === "o" || key === "Enter") rows[Math.max(at, 0)].querySelector("a").click();
  else if (key === "x" && box()) box().checked = !box().checked;
  else if (key === "c" || key === "p") return ticked() && press(key);
  else if (key === "b" || key === "f") {
    const link = rows[Math.max(at, 0)].querySelector("a");
    location.assign(`${link.href}#${key}`);
  } else return false;
  return true;
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.target.closest("textarea, select, dialog[open], [contenteditable], input:not([type=checkbox])")) return;
  // Enter on a link or button is its own.
  if (event.key === "Enter" && event.target.closest("a, button, summary, input")) return;
  if (event.key === "?") help?.showModal();
  else if (!(rows.length && onList(event.key)) && !(/^[a-z]$/.test(event.key) && press(event.key))) return;
  event.preventDefault();
});

// From the list's b and f: the decision is open at once.
if (/^#[bf]$/.test(location.hash)) press(location.hash[1]);
