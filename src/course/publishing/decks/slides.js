// turns the slides: keys, a click on either half, a swipe; the place stands in the address, so that a link leads to a slide
"use strict";
const root = document.documentElement;
const slides = [...document.querySelectorAll(".slide")];
const place = document.querySelector(".place");
let shown = 0;

function show(number) {
  shown = Math.max(0, Math.min(slides.length - 1, number));
  slides.forEach((slide, i) => slide.classList.toggle("shown", i === shown));
  place.textContent = `${shown + 1} of ${slides.length}: ${slides[shown].querySelector("h1, h2").textContent}`;
  try { history.replaceState(null, "", `#${shown + 1}`); } catch { /* a page from a file may not be allowed to */ }
}

function darken() { root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark"; }
function fill() { document.fullscreenElement ? document.exitFullscreen() : root.requestFullscreen?.(); }

const keys = {
  ArrowRight: () => show(shown + 1), ArrowDown: () => show(shown + 1), PageDown: () => show(shown + 1),
  " ": () => show(shown + 1), Enter: () => show(shown + 1), ArrowLeft: () => show(shown - 1), ArrowUp: () => show(shown - 1),
  PageUp: () => show(shown - 1), Home: () => show(0), End: () => show(slides.length - 1),
  n: () => root.classList.toggle("with-notes"), d: darken, f: fill,
};
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("a, button, input")) return;
  const act = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!act) return;
  event.preventDefault();
  act();
});
addEventListener("click", (event) => {
  if (event.target.closest("a") || String(getSelection())) return;
  show(shown + (event.clientX < innerWidth / 3 ? -1 : 1));
});
addEventListener("hashchange", () => show(Number(location.hash.slice(1)) - 1));

// paper is light
let theme;
addEventListener("beforeprint", () => { theme = root.dataset.theme; root.dataset.theme = "light"; });
addEventListener("afterprint", () => { root.dataset.theme = theme; });

root.classList.add("js");
show((Number(location.hash.slice(1)) || 1) - 1);
