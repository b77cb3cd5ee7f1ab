"use strict";
// Keys for those who read with them: / search, j and k from headline to headline, h front page, ? these keys, and a
// button that copies a text. Every page works without this file.
(() => {
  const headlines = () => [...document.querySelectorAll("main a.headline")];
  const move = step => {
    const all = headlines();
    if (!all.length) return;
    const place = all.indexOf(document.activeElement);
    const next = all[place < 0 && step < 0 ? all.length - 1 : Math.min(Math.max(place + step, 0), all.length - 1)];
    next.focus();
    next.scrollIntoView({ block: "center" });
  };
  const help = () => {
    const keys = document.querySelector("details.keys");
    keys.open = !keys.open;
    keys.scrollIntoView({ block: "end" });
  };
  const done = {
    "/": () => document.querySelector("#q").focus(),
    j: () => move(1),
    k: () => move(-1),
    h: () => { location.href = document.querySelector(".brand a").href; },
    "?": help,
  };
  const typing = element => element.closest("input, textarea, select, [contenteditable]");
  document.addEventListener("keydown", event => {
    if (event.key === "Escape" && typing(event.target)) event.target.blur();
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || !done[event.key]) return;
    event.preventDefault();
    done[event.key]();
  });
  for (const button of document.querySelectorAll("button[data-copies]")) {
    button.hidden = !navigator.clipboard;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copies).textContent);
      button.textContent = button.dataset.done;
    });
  }
})();
