// Menus close when something else is clicked, as on Datasette's own pages.
document.addEventListener("click", event => {
  for (const menu of document.querySelectorAll("details.nav-menu[open], details.actions-menu-links[open]"))
    if (!menu.contains(event.target)) menu.open = false;
});
