// A form that is checked while somebody types (portal.ui.live) keeps the names of the fields that were left: what is
// wrong is said at those only. In place of names, "*" says that it was sent and refused.

const CHOICES = new Set(["radio", "checkbox", "select-one"]);

function leave({ form, name }) {
  const left = form.elements.namedItem("left");
  const names = new Set(left.value.split(" ").filter(Boolean));
  if (left.value === "*" || names.has(name)) return false;
  left.value = [...names, name].join(" ");
  return true;
}

const isLive = ({ form, name, type }) => form?.elements.namedItem("left") && name && type !== "submit";

document.addEventListener("focusout", ({ target, relatedTarget }) => {
  // From one choice to the next of the same question nothing is left.
  if (!isLive(target) || (relatedTarget?.name === target.name && relatedTarget.form === target.form)) return;
  if (leave(target)) htmx.trigger(target.form, "left");
});

// Who chooses has answered; the form is checked by this event itself.
document.addEventListener("change", ({ target }) => {
  if (CHOICES.has(target.type) && isLive(target)) leave(target);
}, true);
