// Lists: rows open where one clicks, keys walk them, ticks stay while one searches and pages. All of it works without.

const grid = () => document.querySelector(".o-grid");
const boxes = () => [...document.querySelectorAll('.o-grid [name="row"]')];
const links = () => [...document.querySelectorAll(".o-grid .o-rowlink")];
const bar = document.querySelector("[data-picked]");
const form = document.getElementById("picked");
const keyOf = (what) => `${what}:${form.dataset.list}`;

// What is ticked, of all pages and searches, until it is cleared or the tab is closed.
const picked = new Set(JSON.parse(sessionStorage.getItem(keyOf("picked")) ?? "[]"));

function showPicked() {
  sessionStorage.setItem(keyOf("picked"), JSON.stringify([...picked]));
  for (const box of boxes()) box.checked = picked.has(box.value);
  const shown = boxes().filter((box) => box.checked).length;
  const all = document.querySelector("[data-pick-page]");
  if (all) {
    all.checked = shown > 0 && shown === boxes().length;
    all.indeterminate = shown > 0 && !all.checked;
  }
  bar.toggleAttribute("data-picked-some", picked.size > 0);
  const count = picked.size.toLocaleString(document.documentElement.lang);
  bar.querySelector("[data-picked-count]").textContent = count;
  keep();
}

// What is ticked on other pages is sent along.
function keep() {
  for (const kept of form.querySelectorAll("[data-kept]")) kept.remove();
  const shown = new Set(boxes().map((box) => box.value));
  for (const value of [...picked].filter((id) => !shown.has(id))) {
    const kept = document.createElement("input");
    Object.assign(kept, { type: "hidden", name: "row", value });
    kept.dataset.kept = "";
    form.append(kept);
  }
}

function pick(box) {
  if (box.checked) picked.add(box.value);
  else picked.delete(box.value);
}

document.addEventListener("change", ({ target }) => {
  if (target.matches("[data-pick-page]")) {
    for (const box of boxes()) {
      box.checked = target.checked;
      pick(box);
    }
  } else if (target.matches('.o-grid [name="row"]')) pick(target);
  else return;
  showPicked();
});

// That a filter can't be read is said beside its field, which is not drawn anew while somebody types.
document.addEventListener("htmx:afterSettle", () => {
  for (const said of document.querySelectorAll("#filters .o-field__error")) {
    const now = document.querySelector(`[data-misread="${said.id}"]`);
    said.replaceChildren(...(now?.content.cloneNode(true).children ?? []));
    document.getElementById(said.id.replace(/-error$/, "")).ariaInvalid = now ? "true" : null;
  }
});

bar.querySelector("[data-pick-none]").addEventListener("click", () => {
  picked.clear();
  bar.querySelector("[data-pick-all]").checked = false;
  showPicked();
});

// A row opens where one clicks it, unless something else is there; in another tab with Ctrl, or the middle button.
function follow(event) {
  const row = event.target.closest(".o-grid tbody tr");
  if (!row || event.button > 1 || event.target.closest("a, button, input, select, label") || getSelection()?.toString()) return;
  const link = row.querySelector(".o-rowlink");
  if (!link) return;
  if (event.ctrlKey || event.metaKey || event.button) window.open(link.href);
  else link.click();
}
for (const name of ["click", "auxclick"]) document.addEventListener(name, follow);

// Keys: the arrows walk, Enter opens, e edits, x ticks, s stars; the place is found again on the way back.
document.addEventListener("focusin", ({ target }) => {
  if (target.matches(".o-grid .o-rowlink")) sessionStorage.setItem(keyOf("place"), new URL(target.href).pathname);
});

// A row's stage and close date are changed in it, one row at a time; then its link has the focus again.
let edited = "";
const editor = () => document.querySelector(".o-rowedit");

function edit(row) {
  if (!row.querySelector(".is-edit")) return;
  if (editor()) {
    editor().querySelector("select").focus();
    return;
  }
  const url = `${new URL(row.querySelector(".o-rowlink").href).pathname}row/`;
  const values = { list: document.getElementById("picked-list").value, of: document.getElementById("row-edit-of").value };
  htmx.ajax("GET", url, { target: row, swap: "outerHTML", values });
}

document.addEventListener(
  "click",
  (event) => {
    const place = event.target.closest(".o-grid tbody .is-edit");
    if (!place || !window.htmx || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    event.stopPropagation();
    edit(place.closest("tr"));
  },
  true,
);

document.addEventListener("keydown", (event) => {
  const row = event.target.closest(".o-rowedit");
  if (!row || event.key !== "Escape") return;
  event.preventDefault();
  row.querySelector("[data-row-cancel]").click();
});

document.addEventListener("htmx:afterSettle", () => {
  if (editor()) edited = editor().dataset.rowEdit;
  else if (edited) {
    links().find((link) => new URL(link.href).pathname === edited)?.focus();
    edited = "";
  }
});

const rowDoes = {
  e: edit,
  x: (row) => row.querySelector('[name="row"]').click(),
  s: (row) => row.querySelector(".o-star")?.click(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !grid()) return;
  const { target, key } = event;
  const inside = target.closest(".o-grid tbody tr");
  const walks = inside ? target.matches("a, [type=checkbox]") : target === document.body;
  if (!walks) return;
  const step = { ArrowDown: 1, ArrowUp: -1 }[key];
  if (step) {
    const all = links();
    const here = inside ? all.indexOf(inside.querySelector(".o-rowlink")) : -1;
    const next = all[here < 0 ? 0 : here + step];
    next?.focus();
    next?.closest("tr").scrollIntoView({ block: "nearest" });
  } else if (inside && rowDoes[key]) rowDoes[key](inside);
  else return;
  event.preventDefault();
});

// A filter's menu that says something is marked.
document.addEventListener("change", ({ target }) => {
  const menu = target.closest(".o-filter");
  const says = (input) => (input.type === "checkbox" ? input.checked : input.value);
  menu?.querySelector("summary").classList.toggle("is-on", [...menu.querySelectorAll("input")].some(says));
});

// What is cut says all of it while the pointer rests on it.
document.addEventListener("mouseover", ({ target }) => {
  const cell = target.closest?.(".o-grid :is(td, th)");
  const isCut = (part) => part.scrollWidth > part.clientWidth;
  if (cell && !cell.title && [cell, ...cell.querySelectorAll(".o-badge")].some(isCut)) cell.title = cell.textContent;
});

// After a swap: ticks, and the place of the key's row.
document.addEventListener("htmx:afterSettle", showPicked);
window.addEventListener("pageshow", () => {
  showPicked();
  const place = sessionStorage.getItem(keyOf("place"));
  const entry = performance.getEntriesByType("navigation")[0];
  if (entry?.type !== "back_forward" || document.activeElement !== document.body) return;
  links().find((link) => new URL(link.href).pathname === place)?.focus({ preventScroll: true });
});
