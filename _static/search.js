// excerpts of search results: the text of a page, without folded code, drawings and explanations of terms
"use strict";

if (typeof Search !== "undefined") {
  const unsearched = "script, style, svg, .headerlink, details.hide, .gloss [role=tooltip], .live";
  Search.htmlToText = (html, anchor) => {
    const article = new DOMParser().parseFromString(html, "text/html").querySelector("article");
    for (const part of article?.querySelectorAll(unsearched) ?? []) part.remove();
    const place = (anchor && article?.querySelector(`#${CSS.escape(anchor.slice(1))}`)) || article;
    return (place?.textContent ?? "").replace(/\s+/g, " ");
  };
}
