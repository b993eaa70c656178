// A form that is checked while somebody types (portal.ui.live) keeps the names of the fields that were left: what is
// wrong is said at those only. In place of names, "*" says that it was sent and refused.

const CHOICES = new Set(["radio", "checkbox", "select-one"]);

// Whether any of these names is new among those that were left.
function leave(form, names) {
  const left = form?.elements.namedItem("left");
  if (!left || left.value === "*") return false;
  const known = new Set(left.value.split(" ").filter(Boolean));
  const before = known.size;
  for (const name of names) if (name) known.add(name);
  left.value = [...known].join(" ");
  return known.size > before;
}

// A field is left as a whole: neither for its other choices nor for its calendar, which is drawn anew as one turns pages.
document.addEventListener("focusout", ({ target }) => {
  const field = target.closest?.(".o-field");
  if (!field) return;
  setTimeout(() => {
    if (field.contains(document.activeElement)) return;
    const form = field.closest("form");
    if (leave(form, [...field.querySelectorAll("[name]")].map(({ name }) => name))) htmx.trigger(form, "left");
  });
});

// Who chooses has answered; the form is checked by this event itself.
document.addEventListener("change", ({ target }) => {
  if (CHOICES.has(target.type)) leave(target.form, [target.name]);
}, true);
