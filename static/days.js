// Day fields: the button beside one opens a month in the page's language. The field itself takes a day as text.

const { months, days, before, after } = document.querySelector("script[data-months]").dataset;
const names = { months: months.split(" "), days: days.split(" "), before, after };

let open = null; // { field, shown: the month's first day, panel }

const iso = (day) => [day.getFullYear(), day.getMonth(), day.getDate()].join();
const written = (day) => `${day.getDate()} ${names.months[day.getMonth()]} ${day.getFullYear()}`;

function read(text) {
  const found = text.trim().match(/^(\d{1,2}) (\S+) (\d{4})$/);
  const month = found ? names.months.indexOf(found[2]) : -1;
  return month < 0 ? new Date() : new Date(Number(found[3]), month, Number(found[1]));
}

// A day in figures is shown as it will be read: the day first.
document.addEventListener("change", ({ target: field }) => {
  if (!field.matches?.("input[data-day]")) return;
  const found = field.value.trim().match(/^(\d{1,2})([./-])(\d{1,2})\2(\d{4})$/);
  const day = found && new Date(Number(found[4]), Number(found[3]) - 1, Number(found[1]));
  // A month or a year that there isn't becomes another day: that one is left for the server to refuse.
  const isThat = day && day.getDate() === Number(found[1]) && day.getMonth() === Number(found[3]) - 1
    && day.getFullYear() === Number(found[4]);
  if (isThat) field.value = written(day);
});

function element(kind, text, more = {}) {
  const made = Object.assign(document.createElement(kind), more);
  made.textContent = text;
  return made;
}

function draw(focused) {
  const { shown, field, panel } = open;
  const [chosen, today] = [iso(read(field.value)), iso(new Date())];
  const head = element("div", "", { className: "o-month__head" });
  for (const [by, label, sign] of [[-1, names.before, "‹"], [1, names.after, "›"]]) {
    const button = element("button", sign, { type: "button", className: "o-iconbtn", ariaLabel: label });
    button.dataset.month = by;
    head.append(button);
  }
  const title = new Intl.DateTimeFormat(document.documentElement.lang, { month: "long", year: "numeric" });
  head.firstChild.after(element("strong", title.format(shown), { ariaLive: "polite" }));
  const grid = element("div", "", { className: "o-month__days" });
  for (const name of names.days) grid.append(element("span", name, { ariaHidden: "true" }));
  const first = new Date(shown);
  first.setDate(1 - ((shown.getDay() + 6) % 7)); // weeks begin on Monday
  for (let n = 0; n < 42; n += 1) {
    const day = new Date(first.getFullYear(), first.getMonth(), first.getDate() + n);
    const button = element("button", day.getDate(), { type: "button", ariaLabel: written(day) });
    button.dataset.day = written(day);
    button.tabIndex = iso(day) === iso(focused) ? 0 : -1;
    button.classList.toggle("is-beside", day.getMonth() !== shown.getMonth());
    button.classList.toggle("is-today", iso(day) === today);
    if (iso(day) === chosen && field.value) button.ariaCurrent = "date";
    grid.append(button);
  }
  panel.replaceChildren(head, grid);
}

function go(day) {
  open.shown = new Date(day.getFullYear(), day.getMonth(), 1);
  draw(day);
  open.panel.querySelector('[tabindex="0"]').focus();
}

function show(button) {
  const field = button.parentElement.querySelector("[data-day]");
  const panel = element("div", "", { className: "o-month", popover: "auto", role: "dialog", ariaLabel: button.ariaLabel });
  button.after(panel);
  open = { field, panel };
  panel.addEventListener("toggle", ({ newState }) => newState === "closed" && panel.remove());
  panel.showPopover();
  go(read(field.value));
  const [at, size] = [button.parentElement.getBoundingClientRect(), panel.getBoundingClientRect()];
  const below = at.bottom + 4 + size.height <= innerHeight;
  panel.style.top = `${below ? at.bottom + 4 : Math.max(4, at.top - size.height - 4)}px`;
  panel.style.left = `${Math.max(4, Math.min(at.left, innerWidth - size.width - 8))}px`;
}

document.addEventListener("click", ({ target }) => {
  const opener = target.closest("[data-day-open]");
  if (opener) return show(opener);
  const by = target.closest(".o-month [data-month]");
  if (by) return go(new Date(open.shown.getFullYear(), open.shown.getMonth() + Number(by.dataset.month), 1));
  const day = target.closest(".o-month [data-day]");
  if (!day) return undefined;
  const { field, panel } = open;
  field.value = day.dataset.day;
  panel.hidePopover();
  field.focus();
  for (const name of ["input", "change"]) field.dispatchEvent(new Event(name, { bubbles: true }));
  return undefined;
});

document.addEventListener("keydown", (event) => {
  const day = event.target.closest?.(".o-month [data-day]");
  const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 }[event.key];
  const month = { PageUp: -1, PageDown: 1 }[event.key];
  if (!day || !(by || month)) return;
  event.preventDefault();
  const at = read(day.dataset.day, open.names);
  go(new Date(at.getFullYear(), at.getMonth() + (month ?? 0), at.getDate() + (by ?? 0)));
});
