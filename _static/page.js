// small things that a style sheet cannot do
"use strict";

// paper is light, whatever the screen is
(() => {
  const page = document.documentElement.dataset;
  let theme;
  addEventListener("beforeprint", () => {
    theme = page.theme;
    page.theme = "light";
  });
  addEventListener("afterprint", () => {
    page.theme = theme;
  });
})();

// the meaning of a term: Escape hides it until the reader comes again; a tap gives it the focus, which not every browser does; and it stays
// inside the window
(() => {
  const over = (event) => event.target.closest?.(".gloss");
  const place = (event) => {
    const gloss = over(event);
    if (!gloss) return;
    const tip = gloss.querySelector("[role=tooltip]");
    gloss.style.removeProperty("--gloss-shift");
    const beyond = tip.getBoundingClientRect().right - document.documentElement.clientWidth + 12;
    if (beyond > 0) gloss.style.setProperty("--gloss-shift", `${-beyond}px`);
  };
  const again = (event) => over(event)?.classList.remove("gloss-hidden");
  for (const kind of ["mouseover", "focusin"]) addEventListener(kind, place);
  for (const kind of ["mouseout", "focusout"]) addEventListener(kind, again);
  addEventListener("click", (event) => event.target.closest?.(".gloss button")?.focus());
  addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const gloss of document.querySelectorAll(".gloss:is(:hover, :focus-within)")) gloss.classList.add("gloss-hidden");
  });
})();
