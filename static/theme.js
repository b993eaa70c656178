// Before anything is painted: tells the styles that there is JavaScript, and Bootstrap's own rules which theme "auto" is.
{
  const root = document.documentElement;
  root.classList.add("js");
  if (!root.dataset.bsTheme) {
    const dark = window.matchMedia("(prefers-color-scheme: dark)");
    const follow = () => (root.dataset.bsTheme = dark.matches ? "dark" : "light");
    dark.addEventListener("change", follow);
    follow();
  }
  // Whether the administration's list of models was shut, as Django's script keeps it.
  root.classList.toggle("o-navshut", localStorage.getItem("django.admin.navSidebarIsOpen") === "false");
}
