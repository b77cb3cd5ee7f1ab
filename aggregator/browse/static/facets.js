// What Datasette's table.js asks for, without a script in the page.
window.DATASETTE_ALLOW_FACET = document.currentScript.dataset.allow === "true";
